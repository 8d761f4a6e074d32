// What decides the rules of the way in: the number, the struct's size, and what of it can be read.

import { NATIVE_CALLS } from '../../../spec/abi/native.ts';
import { readablePrefix } from '../../../spec/knowledge/user-copy.ts';
import { mappingAt } from '../../../spec/state/address-space.ts';
import { spaceOf } from '../../../spec/state/memory.ts';
import { bytesIn } from '../../decode/memory-layout.ts';
import { count, hex } from '../../text/quantities.ts';
import { type Evidence, type Facts, onlyIf, type Witness, type Witnesses } from './condition.ts';

const nativeOf = ({ call }: Facts) => NATIVE_CALLS.find(({ command }) => command === call.command);

const sizeOf = ({ call }: Facts): number => {
  const bytes = bytesIn(call.memory, call.argument, 4);
  return bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
};

const unknownNumber: Witness = (facts) => {
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

const tooShort: Witness = (facts) => {
  const native = nativeOf(facts);
  if (native === undefined) return undefined;
  const size = sizeOf(facts);
  return {
    holds: size < native.minimum,
    fact: `size is ${size}, and ${native.name} needs ${native.minimum}`,
  };
};

const tailNotZero: Witness = (facts) => {
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
    ? { holds: false, fact: `the ${count(size - known, 'byte')} behind the struct are 0` }
    : { holds: true, fact: `byte ${known + first} is ${hex(tail[first] ?? 0)}` };
};

/** What the program has at an address: read from its mappings where they are all known. */
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

const unreadable: Witness = (facts) => struct(facts, false);
const unwritable: Witness = (facts) => struct(facts, true);

export const doorWitnesses: Witnesses = {
  'the door/unknown-number': unknownNumber,
  'the door/too-short': tooShort,
  'the door/tail-not-zero': tailNotZero,
  'the door/size-fault': unreadable,
  'the door/struct-fault': unreadable,
  'the door/tail-fault': unreadable,
  'answering/fault': onlyIf(
    ({ shape, values }) => shape.name !== 'IOMMU_VFIO_IOAS' || values.op === 0,
    'only GET is answered',
    unwritable,
  ),
  'IOMMU_IOAS_MAP/maps-unanswered': unwritable,
  'IOMMU_IOAS_MAP_FILE/maps-unanswered': unwritable,
  'IOMMU_IOAS_COPY/copies-unanswered': unwritable,
  'IOMMU_IOAS_UNMAP/unmaps-unanswered': unwritable,
  'VFIO_IOMMU_UNMAP_DMA/unmaps-unanswered': unwritable,
  'VFIO_IOMMU_MAP_DMA/fault': unreadable,
  'VFIO_IOMMU_UNMAP_DMA/fault': unreadable,
  'VFIO_IOMMU_GET_INFO/fault': unreadable,
  'VFIO_IOMMU_GET_INFO/answer-fault': unwritable,
  'VFIO_GROUP_GET_STATUS/fault': unreadable,
  'VFIO_GROUP_GET_STATUS/answer-fault': unwritable,
  'VFIO_DEVICE_BIND_IOMMUFD/fault': unreadable,
  'VFIO_DEVICE_BIND_IOMMUFD/answer-fault': unwritable,
  'VFIO_DEVICE_ATTACH_IOMMUFD_PT/fault': unreadable,
  'VFIO_DEVICE_ATTACH_IOMMUFD_PT/answer-fault': unwritable,
  'VFIO_DEVICE_DETACH_IOMMUFD_PT/fault': unreadable,
};
