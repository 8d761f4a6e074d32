// The structs of a C file: those of the uAPI headers by their names, with definitions for headers that are older than the
// call, and what the kernel keeps in headers of its own.

import { LAYOUTS, type Program } from '../../model/programs/program.ts';
import type { Field, Layout } from '../../spec/abi/layout.ts';
import { commandName, isTest, nativeName, testNumber } from './c-names.ts';

/** Structs that got longer since their call was introduced: a header may have any of the lengths. */
const GROWN = new Set([
  'IOMMU_HWPT_ALLOC',
  'IOMMU_GET_HW_INFO',
  'IOMMU_VIOMMU_ALLOC',
  'VFIO_DEVICE_BIND_IOMMUFD',
  'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
  'VFIO_DEVICE_DETACH_IOMMUFD_PT',
]);

/** A struct of the uAPI with what stands behind it in one: no header has them together. */
const isTogether = (layout: string): boolean => layout.includes(' ');

const identifier = (layout: string): string => layout.toLowerCase().replaceAll(' ', '_');

/** Nothing of it but its number is in a header. */
const TEST_COMMAND = 'IOMMU_TEST_CMD';

const HAS_MAP_FLAGS = new Set(['IOMMU_IOAS_MAP', 'IOMMU_IOAS_MAP_FILE', 'IOMMU_IOAS_COPY']);

const ENUMERATORS: Readonly<Record<string, readonly string[]>> = {
  IOMMU_IOAS_MAP: [
    'IOMMU_IOAS_MAP_FIXED_IOVA = 1 << 0,',
    'IOMMU_IOAS_MAP_WRITEABLE = 1 << 1,',
    'IOMMU_IOAS_MAP_READABLE = 1 << 2,',
  ],
  IOMMU_OPTION: [
    'IOMMU_OPTION_RLIMIT_MODE = 0,',
    'IOMMU_OPTION_HUGE_PAGES = 1,',
    'IOMMU_OPTION_OP_SET = 0,',
    'IOMMU_OPTION_OP_GET = 1,',
  ],
  IOMMU_VFIO_IOAS: [
    'IOMMU_VFIO_IOAS_GET = 0,',
    'IOMMU_VFIO_IOAS_SET = 1,',
    'IOMMU_VFIO_IOAS_CLEAR = 2,',
  ],
};

/** The type of a variable that holds the struct. */
export const typeOf = (layout: string): string => {
  if (isTest(layout)) return `struct test_${layout.toLowerCase()}`;
  if (GROWN.has(layout) || layout === TEST_COMMAND) {
    return `struct ${layout.toLowerCase().replace(/^iommu_/, '')}_7_3`;
  }
  if (isTogether(layout)) return `struct ${identifier(layout)}`;
  const { name } = LAYOUTS.get(layout) as Layout;
  return name === 'int' ? 'int' : `struct ${name}`;
};

/** "ioas_map7": a variable for the struct of an operation. */
export const variableOf = (layout: string, operation: number): string =>
  `${identifier(layout).replace(/^(?:iommu|vfio_iommu|vfio)_/, '')}_${operation}`;

export const fieldType = ({ width, kind }: Field): string =>
  kind === 'fd' ? '__s32' : width === 8 ? '__aligned_u64' : width === 4 ? '__u32' : '__u16';

const definition = (layout: Layout, type: string): readonly string[] => {
  const lines: string[] = [];
  let end = 0;
  const pad = (until: number): void => {
    if (until > end) lines.push(`\t__u8 padding${end}[${until - end}];`);
  };
  for (const field of layout.fields) {
    pad(field.offset);
    lines.push(`\t${fieldType(field)} ${field.name};`);
    end = field.offset + field.width;
  }
  pad(layout.size);
  return [`${type} {`, ...lines, '};'];
};

const layoutsIn = (program: Program): readonly string[] => [
  ...new Set(
    program.flatMap((operation) =>
      operation.op === 'ioctl' && operation.argument.kind === 'struct'
        ? [operation.argument.layout]
        : [],
    ),
  ),
];

const nativeCallsIn = (program: Program): readonly string[] => [
  ...new Set(
    program.flatMap((operation) =>
      operation.op === 'ioctl' ? (nativeName(operation.command) ?? []) : [],
    ),
  ),
];

/** Calls on a device's own file, which came to linux/vfio.h with iommufd's. */
const deviceCallsIn = (program: Program): readonly string[] => [
  ...new Set(
    program.flatMap((operation) => {
      const name = operation.op === 'ioctl' ? commandName(operation.command) : '';
      return name.startsWith('VFIO_DEVICE_') ? [name] : [];
    }),
  ),
];

/** `_IO(';', 0x85)` of a native call. */
const numberOf = (program: Program, name: string): string => {
  for (const operation of program) {
    if (operation.op === 'ioctl' && commandName(operation.command) === name) {
      return `_IO(';', 0x${(operation.command & 0xff).toString(16)})`;
    }
  }
  return '';
};

const guarded = (program: Program, layouts: readonly string[], name: string): readonly string[] => {
  const layout = layouts.includes(name) && !GROWN.has(name) ? LAYOUTS.get(name) : undefined;
  const enumerators = ENUMERATORS[name] ?? [];
  const number = numberOf(program, name);
  return [
    `#ifndef ${name}`,
    // A call that only lends its flags, or its struct to another number, is still what the guard looks for.
    ...(number === '' ? [] : [`#define ${name} ${number}`]),
    ...(enumerators.length === 0
      ? []
      : ['enum {', ...enumerators.map((line) => `\t${line}`), '};']),
    ...(layout === undefined ? [] : definition(layout, typeOf(name))),
    '#endif',
    '',
  ];
};

/** The definitions that the program needs beside the uAPI headers. */
export const definitions = (program: Program): readonly string[] => {
  const layouts = layoutsIn(program);
  const guards = new Set([
    ...(layouts.some((name) => HAS_MAP_FLAGS.has(name)) ? ['IOMMU_IOAS_MAP'] : []),
    ...layouts.filter((name) => name.startsWith('IOMMU_')),
    ...nativeCallsIn(program),
    ...deviceCallsIn(program),
  ]);
  guards.delete(TEST_COMMAND);
  const grown = layouts.filter((name) => GROWN.has(name));
  const tests = layouts.filter((name) => isTest(name) || name === TEST_COMMAND);
  const usesTests = tests.length > 0 || nativeCallsIn(program).includes(TEST_COMMAND);
  const lines = [...guards].flatMap((name) => guarded(program, layouts, name));
  return [
    ...(lines.length === 0 ? [] : ['/* For headers that are older than the calls. */', ...lines]),
    ...(grown.length === 0
      ? []
      : [
          '/* These got longer over the releases: as 7.3 has them, whatever the headers have. */',
          ...grown.flatMap((name) => [
            ...definition(LAYOUTS.get(name) as Layout, typeOf(name)),
            '',
          ]),
        ]),
    ...layouts
      .filter(isTogether)
      .flatMap((name) => [...definition(LAYOUTS.get(name) as Layout, typeOf(name)), '']),
    ...(usesTests
      ? [
          '/*',
          ' * What is used here of drivers/iommu/iommufd/iommufd_test.h. The kernel needs CONFIG_IOMMUFD_TEST.',
          ' */',
          `#define ${TEST_COMMAND} _IO(';', 0xa0)`,
          ...tests
            .filter(isTest)
            .map((name) => `#define IOMMU_TEST_OP_${name} ${testNumber(name)}`),
          '',
          ...tests.flatMap((name) => [
            ...definition(LAYOUTS.get(name) as Layout, typeOf(name)),
            '',
          ]),
        ]
      : []),
  ];
};
