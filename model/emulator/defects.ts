// SPDX-License-Identifier: MIT
// Deliberate defects of the emulator, which tests switch on to check that a checker finds them.
// Each is one condition in the code. Some are invented, the others Linux had.

import { type HistoricalDefect, IOMMUFD_HISTORY, TYPE1_HISTORY } from './historical.ts';

const list = <const Table extends Readonly<Record<string, string>>>(table: Table): Table => table;

/** The invented ones, with one line on what breaks. */
const INVENTED = list({
  'wrong-errno-on-overlap': 'a map over an existing area returns EINVAL instead of EEXIST',
  'cut-off-by-one': 'a type1 cut divides the area one page too late',
  'second-domain-not-unmapped': 'an unmap leaves all domains but the first one translating',
  'size-not-written-back': 'UNMAP_DMA does not report the bytes that it unmapped',
  'aperture-end-off-by-one': 'the byte after the aperture of a domain is not reserved',
  'copy-does-not-share-pins': 'IOAS_COPY pins the memory again instead of sharing the pages',
  'reserved-ignored-when-allowed': 'a fixed map may cover reserved IOVAs once ALLOW_IOVAS was used',
  'unmap-all-stops-at-first-area': 'unmapping everything stops after the first area',
  'access-not-notified': 'an unmap does not notify the accesses, which keep their pages pinned',
  'pin-count-leak-on-failed-map': 'a map that fails halfway keeps its pages pinned',
  'alignment-not-recalculated': 'the IOVA alignment stays as strict after the domain is destroyed',
  'tail-not-checked': 'bytes after the known struct need not be zero',
  'coherency-always-yes': 'CHECK_EXTENSION reports that every domain enforces cache coherency',
  'compat-ioas-not-cleared-on-destroy':
    'the compatibility calls still use a compatibility IOAS that was destroyed',
  'read-only-mapped-writable': 'a mapping without write permission translates writes',
  'charge-not-returned': 'unpinned pages stay charged to the user',
  'unmap-truncates-areas': 'an unmap that covers part of an area takes the whole area',
  'destroy-of-used-object': 'DESTROY takes an IOAS although a domain or access uses it',
  'ids-not-reused': 'the id of a destroyed object is not reused',
  'copy-ignores-permission': 'IOAS_COPY makes a writable mapping of pages mapped for reading',
  'domain-fill-forgets-areas': 'a new domain is not filled with the existing areas',
  'reserved-region-not-enforced': 'the reserved IOVAs of a device stay usable when it attaches',
  'allowed-not-consulted': 'a chosen IOVA may lie outside of the allowed ranges',
  'second-open-of-group': 'a VFIO group can be opened twice',
  'bind-while-group-open': 'a device is bound by its own file although its group is open',
  'unanswered-attach-stays':
    'ATTACH_IOMMUFD_PT that cannot write pt_id back leaves the device attached',
  'noiommu-iommufd-takes-others':
    'an iommufd that a no-IOMMU group has had as its container takes other groups',
  'noiommu-groups-mix': 'a legacy container takes no-IOMMU groups together with others',
  'noiommu-beside-an-ioas': 'a no-IOMMU device is opened although its iommufd could map for it',
  'capability-chain-cut': 'GET_INFO does not link the second capability to the first',
  'failed-unmap-writes-nothing': 'UNMAP_DMA that fails does not write its struct back',
  'access-write-ignores-permission':
    'an access may write through a mapping without write permission',
  'iotlb-not-flushed': 'an unmap leaves in the IOTLB what a device has reached',
  'type1-wrong-errno-on-overlap':
    'a legacy container answers a map over another with EINVAL instead of EEXIST',
  'type1-unmap-takes-cut-mappings':
    'v2 of a legacy container unmaps mappings that an unmap cuts, as v1 does',
  'type1-asked-size-written-back':
    'UNMAP_DMA of a legacy container reports the requested size, not what was unmapped',
  'type1-entry-not-returned':
    'an unmapped dma still counts against the limit of a legacy container',
  'type1-capabilities-not-shifted':
    'GET_INFO of a legacy container links its capabilities as if they began the struct',
  'type1-charge-not-returned': 'pages that a legacy container unmaps stay charged to the process',
  'type1-failed-map-keeps-pins':
    'a legacy container keeps the pages pinned that a map had when it failed',
  'type1-read-only-mapped-writable': 'a legacy container maps read-only memory for writing',
  'type1-second-domain-not-unmapped':
    'an unmap in a legacy container leaves all domains but one translating',
  'type1-invalid-address-still-counted':
    'a dma that is unmapped while its vaddr is invalid keeps groups from joining the container',
  'type1-iommu-outlives-groups': 'a legacy container keeps its IOMMU when the last group leaves it',
  'type1-leaves-with-open-device':
    'a group can leave its legacy container while one of its devices is open',
  'type1-bitmap-not-shifted':
    'the dirty bits of a mapping begin at a whole word of the bitmap, whatever its IOVA',
});

/** Defects that Linux had. */
export const HISTORY = { ...IOMMUFD_HISTORY, ...TYPE1_HISTORY };

export type HistoricalName = keyof typeof HISTORY;
export type DefectName = keyof typeof INVENTED | HistoricalName;

export const HISTORICAL_NAMES = Object.keys(HISTORY) as HistoricalName[];
export const DEFECT_NAMES: readonly DefectName[] = [
  ...(Object.keys(INVENTED) as (keyof typeof INVENTED)[]),
  ...HISTORICAL_NAMES,
];

const isHistorical = (name: DefectName): name is HistoricalName => Object.hasOwn(HISTORY, name);

/** What breaks, in one line. */
export const saysOf = (name: DefectName): string =>
  isHistorical(name) ? HISTORY[name].says : INVENTED[name];

/** The history of a defect that Linux had. */
export const historyOf = (name: HistoricalName): HistoricalDefect => HISTORY[name];

export const isDefectName = (name: string): name is DefectName =>
  (DEFECT_NAMES as readonly string[]).includes(name);
