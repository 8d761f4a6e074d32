// What the devices of a group reach through a legacy container: exactly what its maps say, and nothing is kept beside
// them. The counterpart of spec/hardware/translate.ts, whose words it uses.

import { PAGE_SIZE_BYTES } from '../abi/units.ts';
import { nodesOf } from '../collections/ordered-map.ts';
import type { Translated, TranslatedStretch } from '../hardware/translate.ts';
import { type Container, type DmaNode, dmaAt } from './container.ts';

const throughDma = ({ key, value }: DmaNode, iova: bigint): Translated | undefined => {
  const byte = iova - key;
  let left = Number(byte / PAGE_SIZE_BYTES);
  for (const { backing, page, count } of value.reached ?? []) {
    if (left < count) {
      return {
        backing,
        page: page + left,
        offset: Number(byte % PAGE_SIZE_BYTES),
        readable: value.readable,
        writable: value.writable,
      };
    }
    left -= count;
  }
  return undefined;
};

/** Whether devices of the group translate through the container: mediated ones have nothing that does. */
const translates = ({ type1 }: Container, group: number): boolean =>
  type1?.domains.some(({ groups }) => groups.includes(group)) ?? false;

/** Which byte of memory an access at `iova` by a device of the group leads to; undefined where it leads nowhere. */
export const translate = (
  container: Container,
  group: number,
  iova: bigint,
): Translated | undefined => {
  if (!translates(container, group)) return undefined;
  const node = dmaAt(container.type1?.dmas, iova);
  return node === undefined ? undefined : throughDma(node, iova);
};

/** Everything that the devices of the group reach, in ascending order of IOVA, a page at a time. */
export function* translations(container: Container, group: number): Generator<TranslatedStretch> {
  if (!translates(container, group)) return;
  for (const { key, value } of nodesOf(container.type1?.dmas)) {
    const { readable, writable } = value;
    let iova = key;
    for (const { backing, page, count } of value.reached ?? []) {
      for (let index = 0; index < count; index += 1) {
        yield { backing, page: page + index, offset: 0, readable, writable, iova, length: 4096 };
        iova += PAGE_SIZE_BYTES;
      }
    }
  }
}
