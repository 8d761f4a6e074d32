// SPDX-License-Identifier: MIT
// What the devices of a group reach through a legacy container: exactly what its maps say, and nothing is kept beside
// them. The counterpart of spec/hardware/translate.ts, whose words it uses.

import { PAGE_SIZE_BYTES } from '../abi/units.ts';
import { nodesOf } from '../collections/ordered-map.ts';
import { type Container, type Dma, type DmaNode, dmaAt } from '../state/container.ts';
import type { HardwareDomain } from '../state/domain.ts';
import type { Translated, TranslatedSpan } from './translate.ts';

/** What devices of the group translate through; mediated ones have nothing. */
const domainOf = ({ type1 }: Container, group: number): HardwareDomain | undefined =>
  type1?.domains.find(({ groups }) => groups.includes(group))?.domain;

/** Whether devices can read through the map. */
const lets = ({ readable, writable }: Dma, { readsWhereItWrites }: HardwareDomain): boolean =>
  readable || (writable && readsWhereItWrites);

const throughDma = (
  { key, value }: DmaNode,
  domain: HardwareDomain,
  iova: bigint,
): Translated | undefined => {
  const byte = iova - key;
  let left = Number(byte / PAGE_SIZE_BYTES);
  for (const { backing, page, count } of value.reached ?? []) {
    if (left < count) {
      return {
        backing,
        page: page + left,
        offset: Number(byte % PAGE_SIZE_BYTES),
        readable: lets(value, domain),
        writable: value.writable,
      };
    }
    left -= count;
  }
  return undefined;
};

/** Which byte of memory an access at `iova` by a device of the group leads to; undefined where it leads nowhere. */
export const translate = (
  container: Container,
  group: number,
  iova: bigint,
): Translated | undefined => {
  const domain = domainOf(container, group);
  if (domain === undefined) return undefined;
  const node = dmaAt(container.type1?.dmas, iova);
  return node === undefined ? undefined : throughDma(node, domain, iova);
};

/** Whether a map from `first` to `last` (inclusive) leads to a device's BAR. */
export const reachesBar = ({ type1 }: Container, first: bigint, last: bigint): boolean =>
  [...nodesOf(type1?.dmas)].some(
    ({ key, value }) =>
      key <= last &&
      value.last >= first &&
      value.reached?.some(({ kind }) => kind === 'device') === true,
  );

/** Everything that the devices of the group reach, in ascending order of IOVA, a page at a time. */
export function* translations(container: Container, group: number): Generator<TranslatedSpan> {
  const domain = domainOf(container, group);
  if (domain === undefined) return;
  for (const { key, value } of nodesOf(container.type1?.dmas)) {
    const { writable } = value;
    const readable = lets(value, domain);
    let iova = key;
    for (const { backing, page, count } of value.reached ?? []) {
      for (let index = 0; index < count; index += 1) {
        yield { backing, page: page + index, offset: 0, readable, writable, iova, length: 4096 };
        iova += PAGE_SIZE_BYTES;
      }
    }
  }
}
