// SPDX-License-Identifier: MIT
// The structs of syzkaller's calls: each field that a program writes is at its offset in the ABI.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LAYOUTS } from '../../../model/programs/program.ts';
import { prepare } from '../../../model/programs/run.ts';
import { DESCRIPTIONS, type Description } from '../../../oracle/syz/descriptions.ts';
import { bytesOfHex } from '../../../spec/abi/bytes-text.ts';
import { encode } from '../../../spec/abi/layout.ts';
import { NATIVE_CALLS } from '../../../spec/abi/native.ts';
import * as vfio from '../../../spec/abi/vfio.ts';
import { readSyz } from '../../helpers/read-syz.ts';

const VFIO_COMMANDS: Readonly<Record<string, number>> = {
  VFIO_IOMMU_GET_INFO: vfio.VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA: vfio.VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA: vfio.VFIO_IOMMU_UNMAP_DMA,
};

const commandOf = ({ struct }: Description): number =>
  NATIVE_CALLS.find(({ name }) => name === struct)?.command ?? VFIO_COMMANDS[struct] ?? 0x3ba0;

/** Structs that end before the project's, in bytes. */
const SHORTER: Readonly<Record<string, number>> = { IOMMU_HWPT_ALLOC: 40 };

const isWritten = ({ gives, outputs }: Description, name: string): boolean =>
  gives?.includes(name) !== true && outputs?.includes(name) !== true;

/** The bytes of the struct before a call with that text. */
const bytesOf = (text: string): Uint8Array => {
  const last = readSyz(text).program.at(-1);
  if (last?.op !== 'ioctl') throw new Error('The program has no ioctl.');
  const [struct] = prepare(last.argument, { base: 0n, given: new Map() }).spans;
  return struct?.bytes ?? new Uint8Array();
};

/** A distinct value for each field that is neither an address nor a flag of a bitmap. */
const valueAt = (index: number): bigint => 0x40n + BigInt(index);

const test = suite("structs of syzkaller's calls");

test('have each field at its offset, with its width', () => {
  for (const description of DESCRIPTIONS) {
    const { name, struct, fields, halves, constants } = description;
    const layout = LAYOUTS.get(struct);
    if (layout === undefined) throw new Error(`${struct} has no layout.`);
    const values: Record<string, bigint> = {};
    const texts: string[] = [];
    layout.fields.slice(0, fields).forEach((field, index) => {
      const value = field.name === 'op' ? (constants?.op ?? valueAt(index)) : valueAt(index);
      if (field.name === halves) {
        texts.push(`0x${value.toString(16)}`, '0x9000');
        values[field.name] = value | (0x9000n << 32n);
        return;
      }
      texts.push(`0x${value.toString(16)}`);
      if (isWritten(description, field.name)) values[field.name] = value;
    });
    // Without room after the struct, which GET_INFO has according to its first field.
    if (struct === 'VFIO_IOMMU_GET_INFO') {
      texts[0] = '0x18';
      values.argsz = 0x18n;
    }
    const call = `${name}(0xffffffffffffffff, 0x${commandOf(description).toString(16)}, &AUTO={${texts.join(', ')}})`;
    const expected = encode(layout, values).subarray(0, SHORTER[struct] ?? layout.size);
    assert.equal([...bytesOf(call)], [...expected], call);
  }
});

test('have their constants where a program leaves fields out', () => {
  for (const description of DESCRIPTIONS) {
    const { name, struct, constants } = description;
    const layout = LAYOUTS.get(struct);
    if (layout === undefined) throw new Error(`${struct} has no layout.`);
    const call = `${name}(0xffffffffffffffff, 0x${commandOf(description).toString(16)}, &AUTO={})`;
    const bytes = bytesOf(call);
    const addresses = new Set(
      layout.fields.filter(({ kind }) => kind === 'address').map((field) => field.name),
    );
    const known = Object.entries(constants ?? {}).filter(([field]) => !addresses.has(field));
    const expected = encode(layout, Object.fromEntries(known)).subarray(0, bytes.length);
    assert.equal([...bytes], [...expected], call);
  }
});

test('are all in calls of their own number', () => {
  const numbers = DESCRIPTIONS.map(commandOf);
  assert.ok(numbers.every((number) => number >>> 8 === 0x3b));
  assert.is(new Set(DESCRIPTIONS.map(({ name }) => name)).size, DESCRIPTIONS.length);
  for (const { pointees } of DESCRIPTIONS) {
    for (const hex of Object.values(pointees ?? {})) assert.ok(bytesOfHex(hex) !== undefined);
  }
});

test.run();
