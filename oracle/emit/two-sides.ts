// A C file that makes the same calls on the legacy container and on an iommufd, each in a process of its own, and prints
// side by side what each gives.

import type { Program } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { programText } from '../report/program-text.ts';
import type { TracedStep } from '../trace/step-json.ts';
import { usedRegions } from './arena-use.ts';
import type { IoctlParts } from './c-ioctl.ts';
import {
  cFile,
  functionText,
  memoryArgumentLines,
  setupLines,
  usesDevice,
  withoutUnused,
} from './c-program.ts';
import { expectedText, Statements } from './c-statements.ts';
import type { CStyle } from './c-style.ts';
import { bareC, type CText, c, cHex, cJoin, cLines, cName, cString } from './c-text.ts';
import type { Emission } from './emission-data.ts';
import { structsAreApart } from './placement.ts';

/** A number that the last ioctl, or a device, left in memory. */
export type Look = {
  readonly text: string;
  /** C that reads it; undefined where it cannot be read. */
  readonly read: (parts: IoctlParts | undefined) => CText | undefined;
  readonly type1: bigint;
  readonly iommufd: bigint;
};

/** A device that the program uses by its name or by its group. */
export type NamedDevice = { readonly name: string; readonly group: number };

export type TwoSided = {
  readonly setting: Setting;
  readonly base: bigint;
  /** As the legacy side makes it. */
  readonly program: Program;
  readonly type1: readonly TracedStep[];
  readonly iommufd: readonly TracedStep[];
  readonly looks: readonly Look[];
  readonly devices: readonly NamedDevice[];
  /** Lines for the head of the file. */
  readonly says: readonly string[];
};

const CONTAINER = '/dev/vfio/vfio';
const LIMIT = '/sys/module/vfio_iommu_type1/parameters/dma_entry_limit';
const PLAIN_LIMIT = 65_535;

const DATA = c`static const char *container;`;

const sideData = (rows: readonly CText[]): readonly CText[] => [
  c`/* What each call gives on either side, and numbers that are in memory afterwards. */`,
  c`static const struct {`,
  c`\tconst char *what;`,
  c`\tint is_number;`,
  c`\tlong type1, iommufd;`,
  c`} expected[] = {`,
  ...rows.map((row) => c`\t${row}`),
  c`};`,
  c``,
  c`#define COUNT (sizeof(expected) / sizeof(expected[0]))`,
  c``,
  c`struct side {`,
  c`\tlong values[COUNT];`,
  c`\tunsigned long count;`,
  c`};`,
  c``,
  c`static struct side *seen;`,
  c``,
  c`static const char *error_name(long error)`,
  c`{`,
  c`\tswitch (error) {`,
  ...[...new Set(bareC(cJoin(rows, c` `)).match(/-E[A-Z0-9]+/g))]
    .map((name) => name.slice(1))
    .map((name) => c`\tcase ${cName(name)}: return ${cString(name)};`),
  c`\t}`,
  c`\treturn NULL;`,
  c`}`,
  c``,
];

/** Also where nothing translates for the group. */
export const isGroupOf = ({ group }: NamedDevice, path: string): boolean =>
  path === `/dev/vfio/${group}` || path === `/dev/vfio/noiommu-${group}`;

const styleFor = (devices: readonly NamedDevice[]): CStyle => {
  const variable = (stem: CText, index: number): CText | undefined =>
    index < 0 ? undefined : c`${stem}_${index + 1}`;
  return {
    tell: (_, call) => c`did(${call})`,
    open: (_, path) => c`opened(${path})`,
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

const resultRows = ({ program, type1, iommufd }: TwoSided): readonly CText[] =>
  programText(program).map((line, index) => {
    const operation = program[index];
    if (operation === undefined) throw new Error('A line without an operation.');
    const one = expectedText(operation, type1[index]);
    const other = expectedText(operation, iommufd[index]);
    const text = line.replace(`open("${CONTAINER}")`, 'open(container)');
    return c`{ ${cString(text)}, 0, ${one}, ${other} },`;
  });

const number = (value: bigint): CText => c`${cHex(value)}UL`;

/** The arguments of the program that is made: devices, and where it maps registers the file of these. */
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

export const twoSidedProgram = (wanted: TwoSided): CText => {
  const { setting, base, program, type1, looks, devices, says } = wanted;
  const emission: Emission = { setting, base, program, steps: type1, says };
  const inVariables = structsAreApart(program, base);
  const mapped = usedRegions(program, base, inVariables);
  const writer = new Statements(emission, inVariables, styleFor(devices));
  writer.writeAll();
  const readable = looks.flatMap((look) => {
    const read = look.read(writer.last);
    return read === undefined ? [] : [{ ...look, read }];
  });
  const body = [
    ...setupLines(emission, mapped, c`registers_file`),
    ...writer.lines,
    ...(readable.length === 0 ? [] : [c``]),
    ...readable.map(({ read }) => c`look(${read});`),
  ].flatMap(cLines);
  const rows = [
    ...resultRows(wanted),
    ...readable.map(
      (look) =>
        c`{ ${cString(`   ${look.text}`)}, 1, ${number(look.type1)}, ${number(look.iommufd)} },`,
    ),
  ];
  const calls = functionText(c`static void calls(void)`, withoutUnused(body));
  const hasMemoryFile = usesDevice(program);
  const main = functionText(
    devices.length > 0 || hasMemoryFile ? c`int main(int argc, char **argv)` : c`int main(void)`,
    [
      ...argumentLines(devices, setting.platform.dmaEntryLimit),
      ...(hasMemoryFile
        ? [
            ...memoryArgumentLines(devices.length + 1),
            c`registers_file = argv[${devices.length + 1}];`,
          ]
        : []),
      c`return run_both(calls);`,
    ],
  );
  return cFile({
    says,
    program,
    base,
    mapped,
    data: [
      ...sideData(rows),
      DATA,
      ...devices.flatMap(({ name }, index) => [
        c`static const char *device_${index + 1} = ${cString(name)};`,
        c`static char group_${index + 1}[512];`,
      ]),
      ...(hasMemoryFile ? [c`static const char *registers_file;`] : []),
      c``,
    ],
    code: c`${calls}\n\n${main}`,
  });
};
