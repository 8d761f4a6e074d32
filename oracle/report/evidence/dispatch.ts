// SPDX-License-Identifier: MIT
// Conditions of the rules of the ioctl dispatch: the number, the struct's size, and its readable bytes.

import { NATIVE_CALLS } from '../../../spec/abi/native.ts';
import { readablePrefix } from '../../../spec/knowledge/user-copy.ts';
import { mappingAt } from '../../../spec/state/address-space.ts';
import { spaceOf } from '../../../spec/state/memory.ts';
import { bytesIn } from '../../decode/memory-layout.ts';
import { count, hex } from '../../text/quantities.ts';
import { type Condition, type Conditions, type Evidence, type Facts, onlyIf } from './condition.ts';

const nativeOf = ({ call }: Facts) => NATIVE_CALLS.find(({ command }) => command === call.command);

const sizeOf = ({ call }: Facts): number => {
  const bytes = bytesIn(call.memory, call.argument, 4);
  return bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
};

const unknownNumber: Condition = (facts) => {
  const native = nativeOf(facts);
  const { release } = facts.world;
  if (native === undefined) {
    return { holds: true, fact: `${hex(facts.call.command)} is the number of no call` };
  }
  const absent = release.absentCalls.has(native.name);
  const has = absent ? 'does not have' : 'has';
  return {
    holds: absent,
    fact: `${hex(facts.call.command)} is ${native.name}, which ${release.name} ${has}`,
  };
};

const tooShort: Condition = (facts) => {
  const native = nativeOf(facts);
  if (native === undefined) return undefined;
  const size = sizeOf(facts);
  return {
    holds: size < native.minimum,
    fact: `size is ${size}, and ${native.name} needs ${native.minimum}`,
  };
};

const tailNotZero: Condition = (facts) => {
  const native = nativeOf(facts);
  if (native === undefined) return undefined;
  const size = sizeOf(facts);
  const known = native.layout.size;
  if (size <= known) {
    return { holds: false, fact: `size is ${size}, and the struct has ${known} bytes` };
  }
  const at = facts.call.argument + BigInt(known);
  const { bytes: tail } = readablePrefix(facts.world.memory, facts.call, at, size - known);
  const first = tail.findIndex((byte) => byte !== 0);
  return first < 0
    ? { holds: false, fact: `the ${count(size - known, 'byte')} after the struct are 0` }
    : { holds: true, fact: `byte ${known + first} is ${hex(tail[first] ?? 0)}` };
};

/** The program's access to an address, if all its mappings are known. */
const accessAt = (facts: Facts, address: bigint): string | undefined => {
  const { memory } = facts.world;
  if (memory.knowledge === 'recorded') return undefined;
  const found = mappingAt(spaceOf(memory, facts.call.process), address);
  if (found === undefined) return 'nothing is mapped there';
  const { protection } = found.mapping;
  return protection === 'read-write'
    ? 'it may be read and written there'
    : protection === 'read'
      ? 'it may only be read there'
      : 'it may neither be read nor written there';
};

const struct = (facts: Facts, writing: boolean): Evidence | undefined => {
  const { argument, memory } = facts.call;
  const access = accessAt(facts, argument);
  const shown = memory[0]?.bytes.length ?? 0;
  if (access === undefined) {
    return { holds: undefined, fact: `${count(shown, 'byte')} at ${hex(argument)} could be read` };
  }
  const denied = writing ? !access.includes('written there') : access.includes('nothing');
  return {
    holds: denied || access.includes('neither') ? true : undefined,
    fact: `the argument is ${hex(argument)}; ${access}`,
  };
};

const unreadable: Condition = (facts) => struct(facts, false);
const unwritable: Condition = (facts) => struct(facts, true);

export const dispatchConditions: Conditions = {
  'ioctl-dispatch/unknown-ioctl': unknownNumber,
  'ioctl-dispatch/too-short': tooShort,
  'ioctl-dispatch/tail-not-zero': tailNotZero,
  'ioctl-dispatch/size-fault': unreadable,
  'ioctl-dispatch/struct-fault': unreadable,
  'ioctl-dispatch/tail-fault': unreadable,
  'respond/reply-fault': onlyIf(
    ({ shape, values }) => shape.name !== 'IOMMU_VFIO_IOAS' || values.op === 0,
    'only GET is answered',
    unwritable,
  ),
  'ioas-map/reply-fault': unwritable,
  'ioas-map-file/reply-fault': unwritable,
  'ioas-copy/reply-fault': unwritable,
  'ioas-unmap/reply-fault': unwritable,
  'compat-unmap-dma/reply-fault': unwritable,
  'compat-map-dma/struct-fault': unreadable,
  'compat-unmap-dma/struct-fault': unreadable,
  'compat-get-info/struct-fault': unreadable,
  'compat-get-info/reply-fault': unwritable,
  'group-get-status/struct-fault': unreadable,
  'group-get-status/reply-fault': unwritable,
  'device-bind-iommufd/struct-fault': unreadable,
  'device-bind-iommufd/reply-fault': unwritable,
  'device-attach-iommufd-pt/struct-fault': unreadable,
  'device-attach-iommufd-pt/reply-fault': unwritable,
  'device-detach-iommufd-pt/struct-fault': unreadable,
};
