// SPDX-License-Identifier: MIT
// The structs of a C file: those of the uAPI headers, with definitions for headers that are older than the call, and those of
// the kernel's internal headers.

import { LAYOUTS, type Program } from '../../model/programs/program.ts';
import type { Field, Layout } from '../../spec/abi/layout.ts';
import { commandName, isTest, nativeName, testNumber } from './c-names.ts';
import { type CText, c, cCommentBlock, cHex, cName } from './c-text.ts';

/** Structs that grew since their call was introduced: a header may have any of the sizes. */
const GROWN = new Set([
  'IOMMU_HWPT_ALLOC',
  'IOMMU_GET_HW_INFO',
  'IOMMU_VIOMMU_ALLOC',
  'VFIO_DEVICE_BIND_IOMMUFD',
  'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
  'VFIO_DEVICE_DETACH_IOMMUFD_PT',
]);

/** Whether the layout is a uAPI struct and what follows it; no header has both as one struct. */
const isCombined = (layout: string): boolean => layout.includes(' ');

const identifier = (layout: string): string => layout.toLowerCase().replaceAll(' ', '_');

/** The headers have only its number. */
const TEST_COMMAND = 'IOMMU_TEST_CMD';

const HAS_MAP_FLAGS = new Set(['IOMMU_IOAS_MAP', 'IOMMU_IOAS_MAP_FILE', 'IOMMU_IOAS_COPY']);

const ENUMERATORS: Readonly<Record<string, readonly CText[]>> = {
  IOMMU_IOAS_MAP: [
    c`IOMMU_IOAS_MAP_FIXED_IOVA = 1 << 0,`,
    c`IOMMU_IOAS_MAP_WRITEABLE = 1 << 1,`,
    c`IOMMU_IOAS_MAP_READABLE = 1 << 2,`,
  ],
  IOMMU_OPTION: [
    c`IOMMU_OPTION_RLIMIT_MODE = 0,`,
    c`IOMMU_OPTION_HUGE_PAGES = 1,`,
    c`IOMMU_OPTION_OP_SET = 0,`,
    c`IOMMU_OPTION_OP_GET = 1,`,
  ],
  IOMMU_VFIO_IOAS: [
    c`IOMMU_VFIO_IOAS_GET = 0,`,
    c`IOMMU_VFIO_IOAS_SET = 1,`,
    c`IOMMU_VFIO_IOAS_CLEAR = 2,`,
  ],
};

/** The type of a variable for the struct. */
export const typeOf = (layout: string): CText => {
  if (isTest(layout)) return cName(`struct test_${layout.toLowerCase()}`);
  if (GROWN.has(layout) || layout === TEST_COMMAND) {
    return cName(`struct ${layout.toLowerCase().replace(/^iommu_/, '')}_7_3`);
  }
  if (isCombined(layout)) return cName(`struct ${identifier(layout)}`);
  const { name } = LAYOUTS.get(layout) as Layout;
  return cName(name === 'int' ? name : `struct ${name}`);
};

/** "ioas_map7": a variable for the struct of an operation. */
export const variableOf = (layout: string, operation: number): CText =>
  cName(`${identifier(layout).replace(/^(?:iommu|vfio_iommu|vfio)_/, '')}_${operation}`);

export const fieldType = ({ width, kind }: Field): CText => {
  if (kind === 'fd') return c`__s32`;
  return width === 8 ? c`__aligned_u64` : width === 4 ? c`__u32` : c`__u16`;
};

const definition = (layout: Layout, type: CText): readonly CText[] => {
  const lines: CText[] = [];
  let end = 0;
  const pad = (until: number): void => {
    if (until > end) lines.push(c`\t__u8 padding${end}[${until - end}];`);
  };
  for (const field of layout.fields) {
    pad(field.offset);
    lines.push(c`\t${fieldType(field)} ${cName(field.name)};`);
    end = field.offset + field.width;
  }
  pad(layout.size);
  return [c`${type} {`, ...lines, c`};`];
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

/** Calls on a cdev, which linux/vfio.h has since iommufd. */
const deviceCallsIn = (program: Program): readonly string[] => [
  ...new Set(
    program.flatMap((operation) => {
      const name = operation.op === 'ioctl' ? commandName(operation.command) : '';
      return name.startsWith('VFIO_DEVICE_') ? [name] : [];
    }),
  ),
];

/** `_IO(';', 0x85)` of a native call. */
const numberOf = (program: Program, name: string): CText | undefined => {
  for (const operation of program) {
    if (operation.op === 'ioctl' && commandName(operation.command) === name) {
      return c`_IO(';', ${cHex(operation.command & 0xff)})`;
    }
  }
  return undefined;
};

const guarded = (program: Program, layouts: readonly string[], name: string): readonly CText[] => {
  const layout = layouts.includes(name) && !GROWN.has(name) ? LAYOUTS.get(name) : undefined;
  const enumerators = ENUMERATORS[name] ?? [];
  const number = numberOf(program, name);
  return [
    c`#ifndef ${cName(name)}`,
    // The program may use only the flags or the struct of this call, with the number of another.
    ...(number === undefined ? [] : [c`#define ${cName(name)} ${number}`]),
    ...(enumerators.length === 0
      ? []
      : [c`enum {`, ...enumerators.map((line) => c`\t${line}`), c`};`]),
    ...(layout === undefined ? [] : definition(layout, typeOf(name))),
    c`#endif`,
    c``,
  ];
};

/** The definitions that the program needs besides the uAPI headers. */
export const definitions = (program: Program): readonly CText[] => {
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
    ...(lines.length === 0 ? [] : [c`/* For headers older than the calls. */`, ...lines]),
    ...(grown.length === 0
      ? []
      : [
          c`/* These grew from release to release. This is their size in 7.3, whatever the headers have. */`,
          ...grown.flatMap((name) => [
            ...definition(LAYOUTS.get(name) as Layout, typeOf(name)),
            c``,
          ]),
        ]),
    ...layouts
      .filter(isCombined)
      .flatMap((name) => [...definition(LAYOUTS.get(name) as Layout, typeOf(name)), c``]),
    ...(usesTests
      ? [
          cCommentBlock([
            'From drivers/iommu/iommufd/iommufd_test.h. The kernel needs CONFIG_IOMMUFD_TEST.',
          ]),
          c`#define ${cName(TEST_COMMAND)} _IO(';', 0xa0)`,
          ...tests
            .filter(isTest)
            .map((name) => c`#define ${cName(`IOMMU_TEST_OP_${name}`)} ${testNumber(name)}`),
          c``,
          ...tests.flatMap((name) => [
            ...definition(LAYOUTS.get(name) as Layout, typeOf(name)),
            c``,
          ]),
        ]
      : []),
  ];
};
