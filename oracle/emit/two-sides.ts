// SPDX-License-Identifier: MIT
// A C file that makes the same calls on the legacy container and on an iommufd and prints the results side by side. Such
// files share a header.

import type { Program } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { programText } from '../report/program-text.ts';
import type { TracedStep } from '../trace/step-json.ts';
import { usedRegions } from './arena-use.ts';
import { AUDITED_RELEASES, type AuditedRelease } from './audited-releases.ts';
import type { IoctlParts } from './c-ioctl.ts';
import {
  functionText,
  memoryArgumentLines,
  setupLines,
  usesDevice,
  withoutUnused,
} from './c-program.ts';
import { expectedText, Statements } from './c-statements.ts';
import { definitions } from './c-structs.ts';
import type { CStyle } from './c-style.ts';
import { type CText, c, cCommentBlock, cHex, cJoin, cLines, cString } from './c-text.ts';
import type { Emission } from './emission-data.ts';
import { structsAreApart } from './placement.ts';
import { checkedProgram } from './program-check.ts';
import { HEADER_NAME, releaseConstant } from './two-sides-header.ts';

/** A number that the last ioctl, or a device, left in memory. */
export type Probe = {
  readonly text: string;
  /** C that reads it; undefined if it cannot be read. */
  readonly read: (parts: IoctlParts | undefined) => CText | undefined;
};

/** A device that the program uses by its name or by its group. */
export type NamedDevice = { readonly name: string; readonly group: number };

/** The results of the program in one release. */
export type Answered = {
  readonly release: AuditedRelease;
  readonly type1: readonly TracedStep[];
  readonly iommufd: readonly TracedStep[];
  /** The values of the probes, in order. */
  readonly probes: readonly { readonly type1: bigint; readonly iommufd: bigint }[];
};

export type TwoSided = {
  readonly setting: Setting;
  readonly base: bigint;
  /** As on the legacy side. */
  readonly program: Program;
  /** One for each release that the file describes. */
  readonly answered: readonly [Answered, ...Answered[]];
  readonly probes: readonly Probe[];
  readonly devices: readonly NamedDevice[];
  /** Lines for the head of the file. */
  readonly says: readonly string[];
};

const CONTAINER = '/dev/vfio/vfio';
const LIMIT = '/sys/module/vfio_iommu_type1/parameters/dma_entry_limit';
const PLAIN_LIMIT = 65_535;

/** Also true for the path of a no-IOMMU group. */
export const isGroupOf = ({ group }: NamedDevice, path: string): boolean =>
  path === `/dev/vfio/${group}` || path === `/dev/vfio/noiommu-${group}`;

const styleFor = (devices: readonly NamedDevice[]): CStyle => {
  const variable = (stem: CText, index: number): CText | undefined =>
    index < 0 ? undefined : c`${stem}_${index + 1}`;
  return {
    report: (_, call) => c`record(${call})`,
    open: (_, path) => c`open_needed(${path})`,
    path: (path) => {
      const group = devices.findIndex((device) => isGroupOf(device, path));
      return path === CONTAINER ? c`container` : (variable(c`group`, group) ?? cString(path));
    },
    device: (name) =>
      variable(
        c`device`,
        devices.findIndex((device) => device.name === name),
      ),
    concludes: false,
  };
};

type Answers = { readonly release: AuditedRelease; readonly type1: CText; readonly iommufd: CText };

const answersText = (all: readonly Answers[]): CText => {
  const [first] = all;
  const isSame = all.every(
    ({ type1, iommufd }) => type1 === first?.type1 && iommufd === first.iommufd,
  );
  if (first !== undefined && isSame) return c`IN_EACH(${first.type1}, ${first.iommufd})`;
  const each = all.map(
    ({ release, type1, iommufd }) => c`[${releaseConstant(release)}] = { ${type1}, ${iommufd} }`,
  );
  return c`{ ${cJoin(each, c`, `)} }`;
};

const resultRows = ({ program, answered }: TwoSided): readonly CText[] =>
  programText(program).map((line, index) => {
    const operation = program[index];
    if (operation === undefined) throw new Error('A line without an operation.');
    const text = line.replace(`open("${CONTAINER}")`, 'open(container)');
    const answers = answered.map(({ release, type1, iommufd }) => ({
      release,
      type1: expectedText(operation, type1[index]),
      iommufd: expectedText(operation, iommufd[index]),
    }));
    return c`{ ${cString(text)}, ${answersText(answers)} },`;
  });

const number = (value: bigint | undefined): CText => c`${cHex(value ?? 0n)}UL`;

const probeRow = ({ answered, probes }: TwoSided, probe: Probe): CText => {
  const index = probes.indexOf(probe);
  const answers = answered.map(({ release, probes: values }) => ({
    release,
    type1: number(values[index]?.type1),
    iommufd: number(values[index]?.iommufd),
  }));
  return c`{ ${cString(`   ${probe.text}`)}, ${answersText(answers)}, .is_number = 1 },`;
};

const releaseBits = (answered: TwoSided['answered']): CText =>
  answered.length === AUDITED_RELEASES.length
    ? c`ALL_RELEASES`
    : cJoin(
        answered.map(({ release }) => c`1u << ${releaseConstant(release)}`),
        c` | `,
      );

/** Reads the program's arguments: devices, and the file of the BAR that it maps, if any. */
const argumentLines = (devices: readonly NamedDevice[], limit: number): readonly CText[] => [
  c`out = stdout;`,
  c`setlinebuf(out);`,
  ...devices.flatMap((_, index) => [
    c`if (argc > ${index + 1})`,
    c`\tdevice_${index + 1} = argv[${index + 1}];`,
    c`locate(device_${index + 1}, group_${index + 1}, sizeof(group_${index + 1}));`,
  ]),
  ...(limit === PLAIN_LIMIT ? [] : [c`require_parameter(${cString(LIMIT)}, ${limit});`]),
];

/** The file includes HEADER_NAME, which must be in the same folder. */
export const twoSidedProgram = (wanted: TwoSided): CText => {
  const { setting, base, program, answered, probes, devices, says } = wanted;
  const emission: Emission = { setting, base, program, steps: answered[0].type1, says };
  checkedProgram(emission);
  const inVariables = structsAreApart(program, base);
  const mapped = usedRegions(program, base, inVariables);
  const writer = new Statements(emission, inVariables, styleFor(devices));
  writer.writeAll();
  const readable = probes.flatMap((probe) => {
    const read = probe.read(writer.last);
    return read === undefined ? [] : [{ probe, read }];
  });
  const body = [
    ...setupLines(emission, mapped, c`bar_file`),
    ...writer.lines,
    ...(readable.length === 0 ? [] : [c``]),
    ...readable.map(({ read }) => c`record_number(${read});`),
  ].flatMap(cLines);
  const hasMemoryFile = usesDevice(program);
  const main = functionText(
    devices.length > 0 || hasMemoryFile ? c`int main(int argc, char **argv)` : c`int main(void)`,
    [
      ...argumentLines(devices, setting.platform.dmaEntryLimit),
      ...(hasMemoryFile
        ? [...memoryArgumentLines(devices.length + 1), c`bar_file = argv[${devices.length + 1}];`]
        : []),
      c`return run_both(make_calls, calls, COUNT(calls), ${releaseBits(answered)});`,
    ],
  );
  return cJoin(
    [
      cCommentBlock(says),
      c`#include ${cString(HEADER_NAME)}`,
      c``,
      ...definitions(program),
      c`static const struct call calls[] = {`,
      ...resultRows(wanted).map((row) => c`\t${row}`),
      ...readable.map(({ probe }) => c`\t${probeRow(wanted, probe)}`),
      c`};`,
      c``,
      ...devices.flatMap(({ name }, index) => [
        c`static const char *device_${index + 1} = ${cString(name)};`,
        c`static char group_${index + 1}[512];`,
      ]),
      ...(hasMemoryFile ? [c`static const char *bar_file;`] : []),
      ...(devices.length > 0 || hasMemoryFile ? [c``] : []),
      functionText(c`static void make_calls(void)`, withoutUnused(body)),
      c``,
      main,
      c``,
    ],
    c`\n`,
  );
};
