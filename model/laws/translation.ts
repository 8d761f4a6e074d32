// SPDX-License-Identifier: MIT
// Laws of translation: a domain translates as the areas of its IOAS say.

import type { ObjectId } from '../../spec/abi/units.ts';
import { translate, translations } from '../../spec/hardware/translate.ts';
import { areaAt, byteOf } from '../../spec/state/area.ts';
import { type Context, type Hwpt, tableOf } from '../../spec/state/context.ts';
import { type Contradiction, law, type WorldLaw } from './law.ts';
import { areasOf, contextsOf, firstOf, hex, objectsOf } from './worlds.ts';

type OfDomain = { readonly context: Context; readonly id: ObjectId; readonly hwpt: Hwpt };

const inEveryDomain = (name: string, contradiction: (domain: OfDomain) => Contradiction) =>
  law(name, (world) =>
    firstOf(
      contextsOf(world).flatMap((context) =>
        objectsOf(context, 'hwpt').map(({ id, object }) =>
          contradiction({ context, id, hwpt: object }),
        ),
      ),
    ),
  );

/**
 * Both ends of every area are translated, with its permissions; the adjacent IOVAs only if another
 * area has them.
 */
const translatesWhatAreasSay = inEveryDomain(
  'a domain translates exactly its areas',
  ({ context, id, hwpt }) => {
    const { areas } = tableOf(context, hwpt.ioas);
    for (const node of areasOf(tableOf(context, hwpt.ioas))) {
      for (const iova of [node.key - 1n, node.key, node.value.last, node.value.last + 1n]) {
        const area = areaAt(areas, iova);
        const found = translate(context, id, iova);
        if ((area === undefined) !== (found === undefined)) return `${hex(iova)} of hwpt ${id}`;
        if (area === undefined || found === undefined) continue;
        const { readable, writable } = area.value;
        const reads = readable || (writable && hwpt.domain.writeImpliesRead);
        if (found.readable !== reads || found.writable !== writable) {
          return `permissions of ${hex(iova)}`;
        }
        if (BigInt(found.offset) !== byteOf(area, iova) % 4096n) return `offset of ${hex(iova)}`;
      }
    }
    return undefined;
  },
);

/**
 * The list of translations ascends, has as many bytes as the areas, and agrees with single lookups.
 */
const translationsAgree = inEveryDomain(
  'the list of translations agrees with single ones',
  ({ context, id, hwpt }) => {
    let bytes = 0n;
    let end = -1n;
    for (const { iova, length, ...where } of translations(context, id)) {
      if (iova <= end) return `${hex(iova)} is listed twice`;
      end = iova + BigInt(length) - 1n;
      bytes += BigInt(length);
      const first = translate(context, id, iova);
      const last = translate(context, id, end);
      if (
        first?.page !== where.page ||
        first.backing !== where.backing ||
        first.offset !== where.offset
      ) {
        return `the first byte at ${hex(iova)}`;
      }
      if (last?.page !== where.page || last.offset !== where.offset + length - 1)
        return `the last byte at ${hex(end)}`;
    }
    const mapped = areasOf(tableOf(context, hwpt.ioas)).reduce(
      (sum, { key, value }) => sum + value.last - key + 1n,
      0n,
    );
    return bytes === mapped ? undefined : `${bytes} bytes are listed, ${mapped} mapped`;
  },
);

export const TRANSLATION_LAWS: readonly WorldLaw[] = [translatesWhatAreasSay, translationsAgree];
