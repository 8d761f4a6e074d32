// SPDX-License-Identifier: MIT
// What the devices of a group reach through a legacy container, derived from its maps. The counterpart of translate.ts.

import { PAGE_SIZE_BYTES } from '../abi/units.ts';
import { nodesOf } from '../collections/ordered-map.ts';
import { type Container, type Dma, type DmaNode, dmaAt } from '../state/container.ts';
import type { HardwareDomain } from '../state/domain.ts';
import type { Translated, TranslatedSpan } from './translate.ts';

/** The domain of the group; undefined for a group of mdevs. */
const domainOf = ({ type1 }: Container, group: number): HardwareDomain | undefined =>
  type1?.domains.find(({ groups }) => groups.includes(group))?.domain;

/** Whether devices can read through the map. */
const permitsRead = ({ readable, writable }: Dma, { writeImpliesRead }: HardwareDomain): boolean =>
  readable || (writable && writeImpliesRead);

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
        readable: permitsRead(value, domain),
        writable: value.writable,
      };
    }
    left -= count;
  }
  return undefined;
};

/** The byte of memory that `iova` translates to for devices of the group; undefined if it is not translated. */
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

/** Whether a map that overlaps [first, last] maps a BAR. */
export const reachesBar = ({ type1 }: Container, first: bigint, last: bigint): boolean =>
  [...nodesOf(type1?.dmas)].some(
    ({ key, value }) =>
      key <= last &&
      value.last >= first &&
      value.reached?.some(({ kind }) => kind === 'device') === true,
  );

/** Everything that the devices of the group reach, by ascending IOVA, page by page. */
export function* translations(container: Container, group: number): Generator<TranslatedSpan> {
  const domain = domainOf(container, group);
  if (domain === undefined) return;
  for (const { key, value } of nodesOf(container.type1?.dmas)) {
    const { writable } = value;
    const readable = permitsRead(value, domain);
    let iova = key;
    for (const { backing, page, count } of value.reached ?? []) {
      for (let index = 0; index < count; index += 1) {
        yield { backing, page: page + index, offset: 0, readable, writable, iova, length: 4096 };
        iova += PAGE_SIZE_BYTES;
      }
    }
  }
}
