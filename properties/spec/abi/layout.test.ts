// SPDX-License-Identifier: MIT
// Struct layouts as data: sizes, numbers and offsets as the headers have them, and that bytes and values are each
// other's inverse.

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ERRNO, errnoName } from '../../../spec/abi/errno.ts';
import {
  decode,
  encode,
  type Field,
  fieldBytes,
  fieldOf,
  type Layout,
  withField,
} from '../../../spec/abi/layout.ts';
import { IOVA_RANGE, NATIVE_CALLS } from '../../../spec/abi/native.ts';
import { TEST_OPERATIONS } from '../../../spec/abi/test.ts';
import * as vfio from '../../../spec/abi/vfio.ts';
import { releaseOf } from '../../../spec/terms/releases.ts';

// Computed by a C program from the headers of 7.3.4: sizeof the struct, and the shortest that is accepted.
const NATIVE_SIZES: readonly (readonly [
  number: number,
  name: string,
  size: number,
  least: number,
])[] = [
  [0x80, 'IOMMU_DESTROY', 8, 8],
  [0x81, 'IOMMU_IOAS_ALLOC', 12, 12],
  [0x82, 'IOMMU_IOAS_ALLOW_IOVAS', 24, 24],
  [0x83, 'IOMMU_IOAS_COPY', 40, 40],
  [0x84, 'IOMMU_IOAS_IOVA_RANGES', 32, 32],
  [0x85, 'IOMMU_IOAS_MAP', 40, 40],
  [0x86, 'IOMMU_IOAS_UNMAP', 24, 24],
  [0x87, 'IOMMU_OPTION', 24, 24],
  [0x88, 'IOMMU_VFIO_IOAS', 12, 12],
  [0x89, 'IOMMU_HWPT_ALLOC', 48, 24],
  [0x8a, 'IOMMU_GET_HW_INFO', 40, 32],
  [0x8b, 'IOMMU_HWPT_SET_DIRTY_TRACKING', 16, 16],
  [0x8c, 'IOMMU_HWPT_GET_DIRTY_BITMAP', 48, 48],
  [0x8d, 'IOMMU_HWPT_INVALIDATE', 32, 32],
  [0x8e, 'IOMMU_FAULT_QUEUE_ALLOC', 16, 16],
  [0x8f, 'IOMMU_IOAS_MAP_FILE', 40, 40],
  [0x90, 'IOMMU_VIOMMU_ALLOC', 40, 24],
  [0x91, 'IOMMU_VDEVICE_ALLOC', 24, 24],
  [0x92, 'IOMMU_IOAS_CHANGE_PROCESS', 8, 8],
  [0x93, 'IOMMU_VEVENTQ_ALLOC', 32, 28],
  [0x94, 'IOMMU_HW_QUEUE_ALLOC', 40, 40],
  [0x95, 'IOMMU_IOAS_NOIOMMU_GET_PA', 40, 40],
  [0xa0, 'IOMMU_TEST_CMD', 72, 68],
];

const VFIO_SIZES: readonly (readonly [layout: Layout, size: number])[] = [
  [vfio.VFIO_GROUP_STATUS, 8],
  [vfio.VFIO_CONTAINER_FD, 4],
  [vfio.VFIO_IOMMU_TYPE1_INFO, 24],
  [vfio.VFIO_INFO_CAP_HEADER, 8],
  [vfio.VFIO_CAP_DMA_AVAIL, 12],
  [vfio.VFIO_CAP_IOVA_RANGE, 16],
  [vfio.VFIO_IOMMU_TYPE1_DMA_MAP, 32],
  [vfio.VFIO_IOMMU_TYPE1_DMA_UNMAP, 24],
  [vfio.VFIO_IOMMU_TYPE1_DIRTY_BITMAP, 8],
  [IOVA_RANGE, 16],
];

const LAYOUTS: readonly Layout[] = [
  ...NATIVE_CALLS.map(({ layout }) => layout),
  ...TEST_OPERATIONS.map(({ layout }) => layout),
  ...VFIO_SIZES.map(([layout]) => layout),
];

const layouts = suite('struct layouts');

layouts('native calls have the numbers and sizes of the header', () => {
  assert.equal(
    NATIVE_CALLS.map(({ command, name, layout, minimum }) => [
      command - 0x3b00,
      name,
      layout.size,
      minimum,
    ]),
    NATIVE_SIZES,
  );
});

layouts('VFIO structs have the sizes of the header', () => {
  for (const [layout, size] of VFIO_SIZES) assert.is(layout.size, size, layout.name);
  assert.is(vfio.VFIO_IOMMU_TYPE1_INFO_MINIMUM, 16);
});

layouts('test operations are numbered from 1 on and share one struct', () => {
  assert.equal(
    TEST_OPERATIONS.map(({ op }) => op),
    TEST_OPERATIONS.map((_, index) => index + 1),
  );
  for (const { layout } of TEST_OPERATIONS) assert.is(layout.size, 72);
});

layouts('6.12 lacks seven native calls and eight test operations', () => {
  assert.is(releaseOf('6.12.95').absentCalls.size, 7);
  assert.is(TEST_OPERATIONS.length - releaseOf('6.12.95').absentTestOperations.size, 15);
  assert.is(releaseOf('7.3.4').absentCalls.size, 0);
});

layouts('fields lie within the struct, at multiples of their width, and share no byte', () => {
  for (const { name, size, fields } of LAYOUTS) {
    const taken = new Set<number>();
    for (const field of fields) {
      assert.is(field.offset % field.width, 0, `${name}.${field.name}`);
      assert.ok(field.offset + field.width <= size, `${name}.${field.name}`);
      for (let byte = field.offset; byte < field.offset + field.width; byte += 1) {
        assert.not(taken.has(byte), `${name}.${field.name}`);
        taken.add(byte);
      }
    }
  }
});

layouts('native structs begin with their size, VFIO structs with argsz', () => {
  for (const { layout } of [...NATIVE_CALLS, ...TEST_OPERATIONS]) {
    assert.equal([layout.fields[0]?.kind, layout.fields[0]?.offset], ['size', 0]);
  }
  for (const { fields } of [vfio.VFIO_IOMMU_TYPE1_INFO, vfio.VFIO_IOMMU_TYPE1_DMA_MAP]) {
    assert.equal(
      fields.slice(0, 2).map(({ kind }) => kind),
      ['argsz', 'flags'],
    );
  }
});

const valueFor = ({ kind, width }: Field): fc.Arbitrary<number | bigint> => {
  if (width === 8) return fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  if (kind === 'fd') return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  return fc.integer({ min: 0, max: width === 4 ? 2 ** 32 - 1 : 2 ** 16 - 1 });
};

const valuesFor = ({ fields }: Layout): fc.Arbitrary<Record<string, number | bigint>> =>
  fc.record(Object.fromEntries(fields.map((field) => [field.name, valueFor(field)])), {
    noNullPrototype: true,
  });

const SEED = 11;

const forEveryLayout = (check: (layout: Layout) => fc.IProperty<unknown>): void => {
  for (const layout of LAYOUTS)
    fc.assert(check(layout) as fc.IRawProperty<unknown>, { seed: SEED, numRuns: 25 });
};

layouts('decoding what was encoded gives the values back', () => {
  forEveryLayout((layout) =>
    fc.property(valuesFor(layout), (values) => {
      const bytes = encode(layout, values);
      assert.is(bytes.length, layout.size);
      assert.equal(decode(layout, bytes), values);
    }),
  );
});

layouts('encoding what was decoded gives the bytes of the fields back, and zero elsewhere', () => {
  forEveryLayout((layout) =>
    fc.property(fc.uint8Array({ minLength: layout.size, maxLength: layout.size }), (bytes) => {
      const expected = new Uint8Array(layout.size);
      for (const { offset, width } of layout.fields) {
        expected.set(bytes.subarray(offset, offset + width), offset);
      }
      assert.equal([...encode(layout, decode(layout, bytes))], [...expected]);
    }),
  );
});

layouts('bytes that are missing count as zero, bytes after the struct do not count', () => {
  forEveryLayout((layout) =>
    fc.property(
      fc.uint8Array({ minLength: layout.size, maxLength: layout.size }),
      fc.nat(layout.size),
      (bytes, length) => {
        const whole = new Uint8Array(layout.size);
        whole.set(bytes.subarray(0, length));
        assert.equal(decode(layout, bytes.subarray(0, length)), decode(layout, whole));
        assert.equal(decode(layout, new Uint8Array([...bytes, 1, 2])), decode(layout, bytes));
      },
    ),
  );
});

layouts('putting a field in changes that field alone, in a copy', () => {
  forEveryLayout((layout) =>
    fc.property(
      valuesFor(layout),
      fc
        .constantFrom(...layout.fields)
        .chain((field) => fc.tuple(fc.constant(field), valueFor(field))),
      (values, [field, value]) => {
        const before = encode(layout, values);
        const after = withField(before, field, value);
        assert.equal(decode(layout, before), values);
        assert.equal(decode(layout, after), { ...values, [field.name]: value });
        assert.equal(
          [...fieldBytes(field, value)],
          [...after.subarray(field.offset, field.offset + field.width)],
        );
      },
    ),
  );
});

layouts('a field is found by its name, and an unknown name throws', () => {
  assert.is(fieldOf(vfio.VFIO_IOMMU_TYPE1_INFO, 'cap_offset').offset, 16);
  assert.throws(() => fieldOf(vfio.VFIO_CONTAINER_FD, 'argsz'), /has no field argsz/);
});

layouts('errors have the numbers of x86-64, and names', () => {
  assert.is(ERRNO.EOPNOTSUPP, 95);
  assert.is(errnoName(ERRNO.EDEADLOCK), 'EDEADLOCK');
  assert.is(errnoName(4), 'errno 4');
});

layouts.run();
