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
import { type CStyle, quoted } from './c-style.ts';
import type { Emission } from './emission-data.ts';
import { structsAreApart } from './placement.ts';

/** A number that the last ioctl, or a device, left in memory. */
export type Look = {
  readonly text: string;
  /** C that reads it; undefined where it cannot be read. */
  readonly read: (parts: IoctlParts | undefined) => string | undefined;
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

const DATA = ['static const char *container;'];

const sideData = (rows: readonly string[]): readonly string[] => [
  '/* What each call gives on either side, and numbers that are in memory afterwards. */',
  'static const struct {',
  '\tconst char *what;',
  '\tint is_number;',
  '\tlong type1, iommufd;',
  '} expected[] = {',
  ...rows.map((row) => `\t${row}`),
  '};',
  '',
  '#define COUNT (sizeof(expected) / sizeof(expected[0]))',
  '',
  'struct side {',
  '\tlong values[COUNT];',
  '\tunsigned long count;',
  '};',
  '',
  'static struct side *seen;',
  '',
  'static const char *error_name(long error)',
  '{',
  '\tswitch (error) {',
  ...[...new Set(rows.join(' ').match(/-E[A-Z0-9]+/g))]
    .map((name) => name.slice(1))
    .map((name) => `\tcase ${name}: return "${name}";`),
  '\t}',
  '\treturn NULL;',
  '}',
  '',
];

/** Also where nothing translates for the group. */
export const isGroupOf = ({ group }: NamedDevice, path: string): boolean =>
  path === `/dev/vfio/${group}` || path === `/dev/vfio/noiommu-${group}`;

const styleFor = (devices: readonly NamedDevice[]): CStyle => {
  const variable = (stem: string, index: number): string | undefined =>
    index < 0 ? undefined : `${stem}_${index + 1}`;
  return {
    tell: (_, call) => `did(${call})`,
    open: (_, path) => `opened(${path})`,
    path: (path) => {
      const group = devices.findIndex((device) => isGroupOf(device, path));
      return path === CONTAINER ? 'container' : (variable('group', group) ?? quoted(path));
    },
    device: (name) =>
      variable(
        'device',
        devices.findIndex((device) => device.name === name),
      ),
    concludes: false,
  };
};

const resultRows = ({ program, type1, iommufd }: TwoSided): readonly string[] =>
  programText(program).map((line, index) => {
    const operation = program[index];
    if (operation === undefined) throw new Error('A line without an operation.');
    const [one, other] = [type1, iommufd].map((steps) => expectedText(operation, steps[index]));
    const text = line.replace(`open("${CONTAINER}")`, 'open(container)');
    return `{ ${quoted(text)}, 0, ${one}, ${other} },`;
  });

const number = (value: bigint): string => `0x${value.toString(16)}UL`;

/** The arguments of the program that is made: devices, and where it maps registers the file of these. */
const argumentLines = (devices: readonly NamedDevice[], limit: number): readonly string[] => [
  'out = stdout;',
  'setlinebuf(out);',
  ...devices.flatMap((_, index) => [
    `if (argc > ${index + 1})`,
    `\tdevice_${index + 1} = argv[${index + 1}];`,
    `locate(device_${index + 1}, group_${index + 1}, sizeof(group_${index + 1}));`,
  ]),
  ...(limit === PLAIN_LIMIT ? [] : [`require_parameter(${quoted(LIMIT)}, ${limit});`]),
];

export const twoSidedProgram = (wanted: TwoSided): string => {
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
    ...setupLines(emission, mapped, 'registers_file'),
    ...writer.lines,
    ...(readable.length === 0 ? [] : ['']),
    ...readable.map(({ read }) => `look(${read});`),
  ].flatMap((line) => line.split('\n'));
  const rows = [
    ...resultRows(wanted),
    ...readable.map(
      (look) =>
        `{ ${quoted(`   ${look.text}`)}, 1, ${number(look.type1)}, ${number(look.iommufd)} },`,
    ),
  ];
  const calls = functionText('static void calls(void)', withoutUnused(body));
  const hasMemoryFile = usesDevice(program);
  const main = functionText(
    devices.length > 0 || hasMemoryFile ? 'int main(int argc, char **argv)' : 'int main(void)',
    [
      ...argumentLines(devices, setting.platform.dmaEntryLimit),
      ...(hasMemoryFile
        ? [
            ...memoryArgumentLines(devices.length + 1),
            `registers_file = argv[${devices.length + 1}];`,
          ]
        : []),
      'return run_both(calls);',
    ],
  );
  return cFile({
    says,
    program,
    base,
    mapped,
    data: [
      ...sideData(rows),
      ...DATA,
      ...devices.flatMap(({ name }, index) => [
        `static const char *device_${index + 1} = ${quoted(name)};`,
        `static char group_${index + 1}[512];`,
      ]),
      ...(hasMemoryFile ? ['static const char *registers_file;'] : []),
      '',
    ],
    code: `${calls}\n\n${main}`,
  });
};
