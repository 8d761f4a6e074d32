// SPDX-License-Identifier: MIT
// The verdict on a recorded ioctl, with the program's mappings of the memory to map.

import { decode } from '../../spec/abi/layout.ts';
import { IOMMU_IOAS_MAP, NATIVE_CALLS } from '../../spec/abi/native.ts';
import { PAGE_SIZE_BYTES, U64_MAX } from '../../spec/abi/units.ts';
import { VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_TYPE1_DMA_MAP } from '../../spec/abi/vfio.ts';
import { type RecordedMapping, withShownMappings } from '../../spec/knowledge/recorded.ts';
import { type World, withMemory } from '../../spec/state/world.ts';
import type { IoctlCall, Observation } from '../../spec/terms/call.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import type { RecordedCall } from '../trace/recording.ts';
import { judge } from './judge.ts';
import type { Verdict } from './verdict.ts';

const IOAS_MAP = NATIVE_CALLS.find(({ name }) => name === 'IOMMU_IOAS_MAP')?.command;

type Range = { readonly start: bigint; readonly last: bigint };

const isMap = ({ command }: IoctlCall): boolean =>
  command === IOAS_MAP || command === VFIO_IOMMU_MAP_DMA;

/** The range of the caller's memory to map. */
const mappedRange = (call: IoctlCall): Range | undefined => {
  const bytes = call.memory[0]?.bytes;
  if (bytes === undefined) return undefined;
  let address: bigint;
  let length: bigint;
  if (call.command === VFIO_IOMMU_MAP_DMA) {
    ({ vaddr: address, size: length } = decode(VFIO_IOMMU_TYPE1_DMA_MAP, bytes));
  } else {
    ({ user_va: address, length } = decode(IOMMU_IOAS_MAP, bytes));
  }
  if (length === 0n) return undefined;
  const start = address - (address % PAGE_SIZE_BYTES);
  const end = address + length - 1n;
  const last = end > U64_MAX ? U64_MAX : end | (PAGE_SIZE_BYTES - 1n);
  return { start, last };
};

const withMapped = (
  world: World,
  { process }: IoctlCall,
  { start, last }: Range,
  mappings: readonly RecordedMapping[],
): World => withMemory(world, withShownMappings(world.memory, process, start, last, mappings));

const NO_MAPPINGS_SHOWN =
  'the recording does not show the mappings of the program where memory is to be mapped';

const ruleOf = (verdict: Verdict): Rule | undefined =>
  verdict.kind === 'conforms' || verdict.kind === 'deviation' ? verdict.rule : undefined;

/** The verdict if the mappings are not shown: it must hold both if all the memory is mapped and if none is. */
const judgeUnreportedMap = (
  world: World,
  call: IoctlCall,
  range: Range,
  observation: Observation,
): Verdict => {
  const all = { ...range, readable: true, writable: true, shared: true };
  const there = judge(withMapped(world, call, range, [all]), call, observation);
  if (there.kind === 'unspecified' || there.kind === 'unknown') return there;
  const gone = judge(withMapped(world, call, range, []), call, observation);
  if (there.kind === 'violation') {
    return gone.kind === 'violation' ? there : { kind: 'unknown', why: NO_MAPPINGS_SHOWN, world };
  }
  return ruleOf(gone) === there.rule
    ? there
    : { kind: 'unknown', why: NO_MAPPINGS_SHOWN, world: there.world };
};

/** An ioctl, with the mappings that the recording shows for it. */
export const judgeIoctl = (
  world: World,
  call: IoctlCall,
  { mappings, observation }: RecordedCall,
): Verdict => {
  const range = isMap(call) ? mappedRange(call) : undefined;
  if (range === undefined) return judge(world, call, observation);
  return mappings === undefined
    ? judgeUnreportedMap(world, call, range, observation)
    : judge(withMapped(world, call, range, mappings), call, observation);
};
