// SPDX-License-Identifier: MIT
// Objects of an iommufd as text.

import { match } from 'ts-pattern';
import type { ObjectId } from '../../spec/abi/units.ts';
import { nodesOf, sizeOf } from '../../spec/collections/ordered-map.ts';
import { areaLength } from '../../spec/state/area.ts';
import { type Context, type IommufdObject, objectAt } from '../../spec/state/context.ts';
import type { IoPagetable } from '../../spec/state/io-pagetable.ts';
import { count, listed, size } from './quantities.ts';

const KINDS: Readonly<Record<IommufdObject['kind'], string>> = {
  ioas: 'IOAS',
  hwpt: 'hwpt',
  device: 'device',
  selftest: "mock device's test object",
  access: 'access',
  unspecified: 'object of an unspecified call',
};

/** "an IOAS", "a device". */
export const kindWithArticle = (kind: IommufdObject['kind']): string =>
  `${/^(IOAS|hwpt|in-|object)/.test(KINDS[kind]) ? 'an' : 'a'} ${KINDS[kind]}`;

/** "object 3 is an hwpt", "there is no object 3". */
export const whatIs = (context: Context, id: ObjectId): string => {
  const object = objectAt(context, id);
  return object === undefined
    ? `there is no object ${id}`
    : `object ${id} is ${kindWithArticle(object.kind)}`;
};

const ids = (list: readonly ObjectId[]): string => listed(list.map((id) => `${id}`));

/** "the access with id 5": "access 5" could be read as the fifth access. */
export const accessesText = (list: readonly ObjectId[]): string =>
  list.length === 1 ? `the access with id ${ids(list)}` : `the accesses with ids ${ids(list)}`;

/** "hwpts 3 and 4, the access with id 5": the users of an IOAS; empty if there are none. */
export const usersOfTable = ({ domains, accesses }: IoPagetable): string =>
  [
    ...(domains.length === 0 ? [] : [`${domains.length === 1 ? 'hwpt' : 'hwpts'} ${ids(domains)}`]),
    ...(accesses.length === 0 ? [] : [accessesText(accesses)]),
  ].join(', ');

const bytesMapped = (table: IoPagetable): bigint => {
  let bytes = 0n;
  for (const node of nodesOf(table.areas)) bytes += areaLength(node);
  return bytes;
};

/** "3 areas of 12 KiB together". */
export const areasSummary = (table: IoPagetable): string => {
  const areas = sizeOf(table.areas);
  if (areas === 0) return 'no area';
  return `${count(areas, 'area')} of ${size(bytesMapped(table))}${areas === 1 ? '' : ' together'}`;
};

/** The users of the object, as text; "nobody" if it could be destroyed. */
export const usersText = (context: Context, id: ObjectId): string => {
  const object = objectAt(context, id);
  if (object?.kind === 'ioas') return usersOfTable(object.table) || 'nobody';
  if (object?.kind === 'hwpt') {
    const devices: ObjectId[] = [];
    for (const { key, value } of nodesOf(context.objects)) {
      if (value.kind === 'device' && value.hwpt === id) devices.push(key);
    }
    return devices.length === 0
      ? 'nobody'
      : `${devices.length === 1 ? 'device' : 'devices'} ${ids(devices)}`;
  }
  if (object?.kind === 'device') return 'whoever bound it';
  return object?.kind === 'access' ? 'its descriptor' : 'nobody';
};

/** One line about an object. */
export const objectText = (context: Context, id: ObjectId, object: IommufdObject): string =>
  match(object)
    .with({ kind: 'ioas' }, ({ table }) => {
      const compat = context.compatIoas === id ? ', the one of VFIO calls' : '';
      return `IOAS${compat}: ${areasSummary(table)}; used by ${usersText(context, id)}`;
    })
    .with(
      { kind: 'hwpt' },
      ({ ioas, automatic }) =>
        `hwpt over IOAS ${ioas}, ${automatic ? 'made by an attach' : "the program's own"}; used by ${usersText(context, id)}`,
    )
    .with(
      { kind: 'device' },
      ({ iommu, group, hwpt }) =>
        `device behind IOMMU "${iommu}", of ${group}; ${hwpt === undefined ? 'not attached' : `attached to hwpt ${hwpt}`}`,
    )
    .with({ kind: 'selftest' }, ({ device }) => `test object of mock device ${device}`)
    .with({ kind: 'access' }, ({ ioas, needsPins, pins }) => {
      const where = ioas === undefined ? 'attached to nothing' : `on IOAS ${ioas}`;
      const pinned = needsPins ? `, ${count(pins.length, 'pinned range')}` : '';
      return `access ${where}${pinned}`;
    })
    .with({ kind: 'unspecified' }, ({ madeBy }) => `made by ${madeBy}, which is not specified`)
    .exhaustive();
