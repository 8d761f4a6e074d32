// SPDX-License-Identifier: MIT
// The state of a legacy container as data and as text: its type, its groups with their domains, and its maps.

import { nodesOf, sizeOf } from '../../spec/collections/ordered-map.ts';
import { type Container, type DmaNode, dmaLength } from '../../spec/state/container.ts';
import type { FileId } from '../../spec/state/files.ts';
import { openFile, type World } from '../../spec/state/world.ts';
import type { Process } from '../../spec/terms/call.ts';
import type { IovaRange } from '../../spec/terms/platform.ts';
import type { ContainerRange } from '../decode/call-containers.ts';
import { pageSizesText } from '../text/field-text.ts';
import { descriptorOf, groupsText } from '../text/file-text.ts';
import { count, hex, lastOf, range } from '../text/quantities.ts';
import { cutLines, type Extent, type MapLine } from './iova-map.ts';

export type ContainerAround = {
  readonly file: FileId;
  /** Its lowest descriptor in the process; absent if there is none. */
  readonly descriptor?: number;
  /** "type1 v2", "NOIOMMU"; absent if no type is set. */
  readonly type?: string;
  /** "group 4", "no-IOMMU group 0". */
  readonly groups: string;
  readonly domains: readonly {
    readonly groups: string;
    readonly iommu: string;
    /** Bitmap. */
    readonly pageSizes: bigint;
    readonly aperture: IovaRange;
  }[];
  /** The IOVAs that maps may use; empty if all. */
  readonly allowed: readonly IovaRange[];
  readonly maps: number;
  /** How many more maps may be made. */
  readonly available: number;
  readonly tracksDirty: boolean;
  /** Why it is untracked. */
  readonly untracked?: string;
  readonly map: readonly MapLine[];
};

const lineOf = (node: DmaNode): MapLine => {
  const { key, value } = node;
  const at = `memory ${hex(value.vaddr)} of process ${value.process}`;
  return {
    kind: 'map',
    start: key,
    last: value.last,
    length: dmaLength(node),
    access: `${value.readable ? 'r' : '-'}${value.writable ? 'w' : '-'}`,
    memory: value.vaddrInvalid ? `${at}, whose address was taken away` : at,
  };
};

const typeOf = ({ type1, noIommu }: Container): string | undefined => {
  if (noIommu) return 'NOIOMMU';
  return type1 === undefined ? undefined : `type1 v${type1.version}`;
};

/** Undefined if the file is not a container. */
export const containerAround = (
  world: World,
  process: Process,
  file: FileId,
  ranges: readonly ContainerRange[],
  extent: Extent,
): readonly ContainerAround[] => {
  const open = openFile(world, file);
  if (open?.kind !== 'container') return [];
  const { container } = open;
  const { type1, untracked } = container;
  const descriptor = descriptorOf(world, process, file);
  const type = typeOf(container);
  const wanted = ranges.map(({ what, start, length }) => ({
    what,
    start,
    last: lastOf(start, length),
  }));
  const { platform } = world.setting;
  return [
    {
      file,
      ...(descriptor === undefined ? {} : { descriptor }),
      ...(type === undefined ? {} : { type }),
      groups: groupsText(platform, container.groups),
      domains: (type1?.domains ?? []).map(({ domain, groups }) => ({
        groups: groupsText(platform, groups),
        iommu: domain.iommu,
        pageSizes: domain.pageSizes,
        aperture: domain.aperture,
      })),
      allowed: type1?.ranges ?? [],
      maps: sizeOf(type1?.dmas),
      available: type1?.available ?? 0,
      tracksDirty: type1?.tracksDirty ?? false,
      ...(untracked === undefined ? {} : { untracked }),
      map: cutLines([...nodesOf(type1?.dmas)], lineOf, wanted, extent),
    },
  ];
};

/** "legacy container at descriptor 3, type1 v2, with group 4: 1 map, 65534 more may be made". */
export const containerTitle = (around: ContainerAround): readonly [name: string, rest: string] => {
  const { descriptor, type, groups, maps, available, tracksDirty } = around;
  const at = descriptor === undefined ? '' : ` at descriptor ${descriptor}`;
  const name = `legacy container${at}, ${type ?? 'without a type'}, with ${groups}`;
  if (type === undefined || type === 'NOIOMMU') return [name, 'no map'];
  const dirty = tracksDirty ? ', dirty pages are tracked' : '';
  return [name, `${count(maps, 'map')}, ${available} more may be made${dirty}`];
};

export const containerFacts = ({
  type,
  domains,
  allowed,
  untracked,
}: ContainerAround): readonly string[] => [
  ...(untracked === undefined ? [] : [`nothing is known of it since ${untracked}`]),
  ...(domains.length === 0 && type !== undefined
    ? ['no domain: nothing is pinned for devices']
    : domains.map(
        ({ groups, iommu, pageSizes, aperture }) =>
          `the domain of ${groups} (IOMMU "${iommu}") translates ${range(aperture.start, aperture.last)} with pages of ${pageSizesText(pageSizes)}`,
      )),
  ...(allowed.length === 0
    ? []
    : [`maps may lie in: ${allowed.map(({ start, last }) => range(start, last)).join(', ')}`]),
];
