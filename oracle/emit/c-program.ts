// A trace as a C file that needs nothing else: it makes the calls, prints what each gives, and its exit status says
// whether the last one gave what the trace says.

import { ARENA_LENGTH, type Region } from '../../model/programs/arena.ts';
import type { Program } from '../../model/programs/program.ts';
import { usedRegions } from './arena-use.ts';
import { helpersIn } from './c-helpers.ts';
import { number } from './c-names.ts';
import { PROTECTION, Statements } from './c-statements.ts';
import { definitions } from './c-structs.ts';
import { quoted } from './c-style.ts';
import { regionName } from './c-values.ts';
import { firstDescriptor, namesForeignDescriptors } from './descriptors.ts';
import type { Emission } from './emission-data.ts';
import { structsAreApart } from './placement.ts';

const CAPTURE = /^(?:int|__\w+) (\w+) = result < 0 /;

/** Without what is kept for structs that have no place in memory. */
export const withoutUnused = (lines: readonly string[]): readonly string[] => {
  const text = lines.join('\n').replaceAll(/"(?:[^"\\]|\\.)*"/g, '');
  return lines.filter((line) => {
    const name = CAPTURE.exec(line)?.[1];
    return name === undefined || text.split(new RegExp(`\\b${name}\\b`)).length > 2;
  });
};

const regionLines = (regions: readonly Region[]): readonly string[] =>
  regions.map(({ name, length, protection, shared }) => {
    const flags = `${shared ? 'MAP_SHARED' : 'MAP_PRIVATE'} | MAP_ANONYMOUS`;
    return [
      `if (map_at(${regionName(name)}, ${number(length)}, ${PROTECTION[protection]}, ${flags}, -1, 0) < 0)`,
      `\tfails(${quoted(`the region of ${name}`)});`,
    ].join('\n');
  });

const commentLines = (lines: readonly string[]): readonly string[] => [
  '/*',
  ...lines.map((line) => ` * ${line.replaceAll('*/', '* /')}`.trimEnd()),
  ' */',
];

const EXITS = [
  'Exit status: 0 the last call answers as the trace says, 1 it does not, 2 the program cannot set itself up,',
  '3 this machine lacks something (/dev/iommu, a group, permission).',
];

const HEADERS = [
  'errno.h',
  'fcntl.h',
  'grp.h',
  'limits.h',
  'stdio.h',
  'stdlib.h',
  'string.h',
  'sys/ioctl.h',
  'sys/mman.h',
  'sys/resource.h',
  'sys/wait.h',
  'unistd.h',
  'linux/types.h',
  'linux/vfio.h',
];

export const usesDevice = (program: Program): boolean =>
  program.some((operation) => operation.op === 'mmap' && operation.backing.kind === 'device');

const usesLimit = (program: Program): boolean =>
  program.some(
    (operation) =>
      operation.op === 'ioctl' &&
      operation.argument.kind === 'struct' &&
      operation.argument.layout === 'SET_TEMP_MEMORY_LIMIT',
  );

/** Opens what maps of a device's registers are of. */
const deviceMemoryLines = (file: string): readonly string[] => [
  `int device_memory = open(${file}, O_RDWR | O_CLOEXEC);`,
  'if (device_memory < 0)',
  `\tlacks(${file});`,
];

/** What the process that makes the calls does first. `memoryFile` is the expression of the path of a device's memory. */
export const setupLines = (
  emission: Emission,
  regions: readonly Region[],
  memoryFile: string,
): readonly string[] => {
  const { setting, program } = emission;
  const { privileged, memlockLimit, lockedBefore } = setting.credentials;
  return [
    ...(namesForeignDescriptors(emission)
      ? [`take_descriptors(${firstDescriptor(emission)});`]
      : []),
    'setlinebuf(out);',
    ...(usesDevice(program) ? deviceMemoryLines(memoryFile) : []),
    ...(lockedBefore === undefined ? [] : [`lock_memory(${lockedBefore});`]),
    ...(privileged
      ? ['if (geteuid() != 0)', '\tlacks("permission: the calls are those of root");']
      : [`drop_privileges(${number(memlockLimit)});`]),
    ...(regions.length === 0 ? [] : ['take_arena();']),
    ...regionLines(regions),
  ];
};

/** That there is the argument which names a device's memory. */
export const memoryArgumentLines = (position: number): readonly string[] => [
  `if (argc < ${position + 1})`,
  `\tlacks("memory of a device: name a resource file below /sys/bus/pci/devices as argument ${position}");`,
];

export const functionText = (head: string, statements: readonly string[]): string =>
  [
    head,
    '{',
    ...(statements.some((line) => /^result = /.test(line)) ? ['\tlong result;', ''] : []),
    ...statements.map((line) => (line === '' ? '' : `\t${line}`)),
    '}',
  ].join('\n');

export type CParts = {
  readonly says: readonly string[];
  readonly program: Program;
  /** Where the arena begins. */
  readonly base: bigint;
  readonly mapped: readonly Region[];
  /** What stands before the helpers, which may use it. */
  readonly data: readonly string[];
  /** What stands behind them, and uses them. */
  readonly code: string;
};

/** A file with what its code uses, and nothing else. */
export const cFile = ({ says, program, base, mapped, data, code }: CParts): string => {
  const helpers = helpersIn([...data, code].join('\n'));
  const rest = [...data, ...helpers, code].join('\n');
  const places = mapped
    .filter(({ name }) => new RegExp(`\\b${regionName(name)}\\b`).test(rest))
    .map(({ name, offset }) => `#define ${regionName(name)} (ARENA + 0x${offset.toString(16)})`);
  const usesArena = /\bARENA/.test(rest) || places.length > 0;
  return [
    ...commentLines(says),
    '#define _GNU_SOURCE',
    ...HEADERS.map((name) => `#include <${name}>`),
    '#if __has_include(<linux/iommufd.h>)',
    '#include <linux/iommufd.h>',
    '#endif',
    '',
    ...definitions(program),
    ...(usesArena
      ? [
          '/* Where the memory of the calls lies. */',
          `#define ARENA 0x${base.toString(16)}UL`,
          `#define ARENA_LENGTH 0x${ARENA_LENGTH.toString(16)}UL`,
          ...places,
          '',
        ]
      : []),
    '#ifndef MAP_FIXED_NOREPLACE',
    '#define MAP_FIXED_NOREPLACE 0x100000',
    '#endif',
    '',
    '/* Results that stand for many. */',
    '#define A_DESCRIPTOR LONG_MAX',
    ...(/\bANYTHING\b/.test(rest) ? ['#define ANYTHING LONG_MIN'] : []),
    '',
    'static FILE *out;',
    '',
    ...data,
    ...helpers,
    code,
    '',
  ].join('\n');
};

/** The text of the file. */
export const cProgram = (emission: Emission): string => {
  const { program, base, says } = emission;
  const inVariables = structsAreApart(program, base);
  const mapped = usedRegions(program, base, inVariables);
  const writer = new Statements(emission, inVariables);
  writer.writeAll();
  const body = [
    'out = stdout;',
    ...(usesDevice(program) ? memoryArgumentLines(1) : []),
    ...setupLines(emission, mapped, 'argv[1]'),
    ...writer.lines,
    ...(usesLimit(program) ? ['restore_limit();'] : []),
    ...(program.length === 0 ? ['int shown = 1;'] : []),
    'fprintf(out, shown ? "The last call answers as the trace says.\\n"',
    '\t\t   : "The last call does not answer as the trace says.\\n");',
    'return shown ? 0 : 1;',
  ].flatMap((line) => line.split('\n'));
  const statements = withoutUnused(body);
  const code = functionText(
    usesDevice(program) ? 'int main(int argc, char **argv)' : 'int main(void)',
    statements,
  );
  return cFile({ says: [...says, '', ...EXITS], program, base, mapped, data: [], code });
};
