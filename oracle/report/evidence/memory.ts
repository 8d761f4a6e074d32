// SPDX-License-Identifier: MIT
// Conditions for pinning and charging memory.

import { PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import { type Mapping, mappingAt } from '../../../spec/state/address-space.ts';
import { areaAt } from '../../../spec/state/area.ts';
import { pagesAt } from '../../../spec/state/context.ts';
import { lockedOf, spaceOf } from '../../../spec/state/memory.ts';
import { count, grouped, hex, range } from '../../text/quantities.ts';
import { type Condition, type Conditions, type Evidence, type Facts, passed } from './condition.ts';

/** Memory is pinned only if the table has a domain. */
const pinsNow = (facts: Facts): boolean => (facts.table?.domains.length ?? 0) > 0;

const MAPS = new Set(['IOMMU_IOAS_MAP', 'VFIO_IOMMU_MAP_DMA']);

type PageMapping = { readonly address: bigint; readonly mapping: Mapping | undefined };

/** The first page of the call's memory for which the condition holds. */
const firstPage = (
  facts: Facts,
  condition: (mapping: Mapping | undefined) => boolean,
): PageMapping | undefined => {
  const { memory } = facts;
  if (memory === undefined || memory.length === 0n) return undefined;
  const space = spaceOf(facts.world.memory, facts.call.process);
  const end = memory.address + memory.length;
  let at = memory.address - (memory.address % PAGE_SIZE_BYTES);
  for (let steps = 0; at < end && steps < 4096; steps += 1) {
    const found = mappingAt(space, at);
    if (condition(found?.mapping)) return { address: at, mapping: found?.mapping };
    if (found === undefined) return undefined;
    at = found.mapping.last + 1n;
  }
  return undefined;
};

const pinning =
  (
    condition: (mapping: Mapping | undefined, facts: Facts) => boolean,
    problem: string,
  ): Condition =>
  (facts): Evidence | undefined => {
    if (facts.memory === undefined || !MAPS.has(facts.shape.name)) return undefined;
    if (!pinsNow(facts)) {
      return { holds: false, fact: 'the IOAS has no domain, so that nothing is pinned yet' };
    }
    const found = firstPage(facts, (mapping) => condition(mapping, facts));
    const { address, length } = facts.memory;
    return found === undefined
      ? { holds: false, fact: `no page of ${range(address, address + length - 1n)} is like that` }
      : { holds: true, fact: `the page at ${hex(found.address)} ${problem}` };
  };

const WRITE_FLAGS: Readonly<Record<string, bigint>> = {
  IOMMU_IOAS_MAP: 2n,
  VFIO_IOMMU_MAP_DMA: 2n,
};

const writes = (facts: Facts): boolean =>
  (passed(facts, 'flags') & (WRITE_FLAGS[facts.shape.name] ?? 0n)) !== 0n;

/** A limit in bytes; undefined: no limit. */
const limit = (bytes: bigint): string =>
  bytes === 0xffff_ffff_ffff_ffffn ? 'no limit' : `${grouped(bytes / PAGE_SIZE_BYTES)} pages`;

const userLimit: Condition = ({ world, context }) => {
  const { credentials } = world.setting;
  if (credentials.privileged) {
    return { holds: false, fact: 'the program is privileged and has no limit' };
  }
  return {
    holds: undefined,
    fact: `${count(world.memory.userLocked, 'page')} of ${limit(credentials.memlockLimit)} are charged to the user, and maps are charged to the ${context?.accounting ?? 'user'}`,
  };
};

const processLimit: Condition = ({ world, call, context }) => {
  const { credentials } = world.setting;
  if (credentials.privileged) {
    return { holds: false, fact: 'the program is privileged and has no limit' };
  }
  const locked = lockedOf(world.memory, call.process);
  return {
    holds: undefined,
    fact: `${count(locked, 'page')} of ${limit(credentials.memlockLimit)} are charged to the process, and maps are charged to the ${context?.accounting ?? 'user'}`,
  };
};

const fileTooShort: Condition = ({ shape, context, table, span }) => {
  const nothing = { holds: false, fact: 'the memory is not that of a file' };
  if (MAPS.has(shape.name)) return nothing;
  const area = span === undefined ? undefined : areaAt(table?.areas, span.start);
  if (context === undefined || area === undefined) return undefined;
  return pagesAt(context, area.value.pages).source.kind === 'user' ? nothing : undefined;
};

export const memoryConditions: Conditions = {
  'pinning/not-mapped': pinning((mapping) => mapping === undefined, 'is not mapped'),
  'pinning/not-memory': pinning((mapping) => mapping?.kind === 'device', "is a device's BAR"),
  'pinning/not-accessible': pinning(
    (mapping) => mapping?.protection === 'none',
    'may not be read by the program',
  ),
  'pinning/not-writable': pinning(
    (mapping, facts) => writes(facts) && mapping?.protection === 'read',
    'may not be written by the program',
  ),
  'pinning/file-too-short': fileTooShort,
  'locked-memory/user-limit': userLimit,
  'locked-memory/process-limit': processLimit,
};
