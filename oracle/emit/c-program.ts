// SPDX-License-Identifier: MIT
// A trace as a self-contained C file: it makes the calls, prints their results, and its exit status says whether
// the last result is that of the trace.

import type { Region } from '../../model/programs/arena.ts';
import type { Program } from '../../model/programs/program.ts';
import { usedRegions } from './arena-use.ts';
import { helpersIn } from './c-helpers.ts';
import { number } from './c-names.ts';
import { arenaLines, INCLUDES, resultLines } from './c-preamble.ts';
import { PROTECTION, Statements } from './c-statements.ts';
import { definitions } from './c-structs.ts';
import { bareC, type CText, c, cCommentBlock, cJoin, cLines, cString } from './c-text.ts';
import { regionName } from './c-values.ts';
import { firstDescriptor, namesForeignDescriptors } from './descriptors.ts';
import type { Emission } from './emission-data.ts';
import { leavesVariables, structsAreApart } from './placement.ts';
import { checkedProgram } from './program-check.ts';

const CAPTURE = /^(?:int|__\w+) (\w+) = result < 0 /;

/** Without the memory for structs that are in variables. */
export const withoutUnused = (lines: readonly CText[]): readonly CText[] => {
  const uses = new Map<string, number>();
  for (const [name] of bareC(cJoin(lines, c`\n`)).matchAll(/\b[A-Za-z_]\w*\b/g)) {
    uses.set(name, (uses.get(name) ?? 0) + 1);
  }
  return lines.filter((line) => {
    const name = CAPTURE.exec(line)?.[1];
    return name === undefined || (uses.get(name) ?? 0) > 1;
  });
};

const regionLines = (regions: readonly Region[]): readonly CText[] =>
  regions.flatMap(({ name, length, protection, shared }) => {
    const flags = shared ? c`MAP_SHARED | MAP_ANONYMOUS` : c`MAP_PRIVATE | MAP_ANONYMOUS`;
    return [
      c`if (map_at(${regionName(name)}, ${number(length)}, ${PROTECTION[protection]}, ${flags}, -1, 0) < 0)`,
      c`\tfails(${cString(`the region of ${name}`)});`,
    ];
  });

const EXITS = [
  'Exit status: 0 the last call answers as the trace says, 1 it does not, 2 the program cannot set itself up,',
  '3 this machine lacks something (/dev/iommu, a group, permission).',
];

export const usesDevice = (program: Program): boolean =>
  program.some((operation) => operation.op === 'mmap' && operation.backing.kind === 'device');

/** Opens the file that maps of a device's BAR are of. */
const deviceMemoryLines = (file: CText): readonly CText[] => [
  c`int device_memory = open(${file}, O_RDWR | O_CLOEXEC);`,
  c`if (device_memory < 0)`,
  c`\tlacks(${file});`,
];

/** The start of the process that makes the calls. `memoryFile` is the expression of the path of a device's memory. */
export const setupLines = (
  emission: Emission,
  regions: readonly Region[],
  memoryFile: CText,
): readonly CText[] => {
  const { setting, program, base } = emission;
  const { privileged, memlockLimit, lockedBefore } = setting.credentials;
  return [
    ...(namesForeignDescriptors(emission)
      ? [c`take_descriptors(${firstDescriptor(emission)});`]
      : []),
    c`setlinebuf(out);`,
    ...(usesDevice(program) ? deviceMemoryLines(memoryFile) : []),
    ...(lockedBefore === undefined ? [] : [c`lock_memory(${lockedBefore});`]),
    ...(privileged
      ? [c`if (geteuid() != 0)`, c`\tlacks("permission: the calls are those of root");`]
      : [c`drop_privileges(${number(memlockLimit)});`]),
    ...(regions.length > 0 || leavesVariables(program, base) ? [c`take_arena();`] : []),
    ...regionLines(regions),
  ];
};

/** Checks for the argument that names a device's memory. */
export const memoryArgumentLines = (position: number): readonly CText[] => [
  c`if (argc < ${position + 1})`,
  c`\tlacks("memory of a device: name a resource file below /sys/bus/pci/devices as argument ${position}");`,
];

export const functionText = (head: CText, statements: readonly CText[]): CText =>
  cJoin(
    [
      head,
      c`{`,
      ...(statements.some((line) => /^result = /.test(line)) ? [c`\tlong result;`, c``] : []),
      ...statements.map((line) => (line === '' ? line : c`\t${line}`)),
      c`}`,
    ],
    c`\n`,
  );

type CParts = {
  readonly says: readonly string[];
  readonly program: Program;
  /** Where the arena begins. */
  readonly base: bigint;
  readonly mapped: readonly Region[];
  readonly code: CText;
};

/** A file with what its code uses, and nothing else. */
const cFile = ({ says, program, base, mapped, code }: CParts): CText => {
  const helpers = helpersIn(code);
  const rest = bareC(cJoin([...helpers, code], c`\n`));
  const places = mapped.filter(({ name }) => new RegExp(`\\b${regionName(name)}\\b`).test(rest));
  const usesArena = /\bARENA/.test(rest) || places.length > 0;
  return cJoin(
    [
      cCommentBlock(says),
      ...INCLUDES,
      ...definitions(program),
      ...(usesArena ? arenaLines(base, places) : []),
      ...resultLines(/\bANYTHING\b/.test(rest)),
      ...helpers,
      code,
      c``,
    ],
    c`\n`,
  );
};

/** The text of the file. Throws RefusedProgram where the kernel subject would not run the program, or might not. */
export const cProgram = (emission: Emission): CText => {
  const { program, base, says } = emission;
  const { changesLimit } = checkedProgram(emission);
  const inVariables = structsAreApart(program, base);
  const mapped = usedRegions(program, base, inVariables);
  const writer = new Statements(emission, inVariables);
  writer.writeAll();
  const body = [
    c`out = stdout;`,
    ...(usesDevice(program) ? memoryArgumentLines(1) : []),
    ...setupLines(emission, mapped, c`argv[1]`),
    ...writer.lines,
    ...(changesLimit ? [c`restore_limit();`] : []),
    ...(program.length === 0 ? [c`int shown = 1;`] : []),
    c`fprintf(out, shown ? "The last call answers as the trace says.\\n"`,
    c`\t\t   : "The last call does not answer as the trace says.\\n");`,
    c`return shown ? 0 : 1;`,
  ].flatMap(cLines);
  const statements = withoutUnused(body);
  const code = functionText(
    usesDevice(program) ? c`int main(int argc, char **argv)` : c`int main(void)`,
    statements,
  );
  return cFile({ says: [...says, '', ...EXITS], program, base, mapped, code });
};
