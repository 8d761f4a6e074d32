// SPDX-License-Identifier: MIT
// Laws of translation: a domain leads an access exactly where the areas of its IOAS say.

import { TRANSLATION_LAWS } from '../../../model/laws/translation.ts';
import type { ObjectId } from '../../../spec/abi/units.ts';
import { valueAt } from '../../../spec/collections/ordered-map.ts';
import { translate, translations } from '../../../spec/hardware/translate.ts';
import { mappingAt } from '../../../spec/state/address-space.ts';
import { tableOf } from '../../../spec/state/context.ts';
import { always, alwaysAll, checkLaws, eachStep, sometimes } from '../../harness/law.ts';
import { areasOf, contextsOf, hex, objectsOf } from '../../helpers/worlds.ts';

/** A new map translates to the memory at its vaddr. */
const mapsLeadToMemory = eachStep(
  'a new map leads to the memory at its address',
  ({ rule, before, after }) => {
    if (rule?.id !== 'ioas-map/maps' && rule?.id !== 'compat-map-dma/maps') return undefined;
    for (const context of contextsOf(after)) {
      const earlier = [...contextsOf(before)].find(({ file }) => file === context.file);
      for (const { id, object } of objectsOf(context, 'hwpt')) {
        for (const node of areasOf(tableOf(context, object.ioas))) {
          const pages = valueAt(context.pages, node.value.pages);
          const isNew = valueAt(earlier?.pages, node.value.pages) === undefined;
          if (!isNew || pages?.source.kind !== 'user') continue;
          const address = pages.source.start + node.value.startByte;
          const found = mappingAt(valueAt(after.memory.spaces, pages.process), address);
          const translated = translate(context, id, node.key);
          const page = found && found.mapping.page + Number((address - found.start) / 4096n);
          if (translated?.backing !== found?.mapping.backing || translated?.page !== page) {
            return `${hex(node.key)} does not lead to ${hex(address)}`;
          }
        }
      }
    }
    return undefined;
  },
);

const noSuchHwpt = always('an hwpt that there is not translates nothing', (world) => {
  for (const context of contextsOf(world)) {
    const none = 0x7fff_0000 as ObjectId;
    if (translate(context, none, 0n) !== undefined || [...translations(context, none)].length > 0)
      return 'it does';
  }
  return undefined;
});

checkLaws('translation', [
  ...alwaysAll(TRANSLATION_LAWS),
  mapsLeadToMemory,
  noSuchHwpt,
  sometimes('a domain translates for reading only', ({ after }) =>
    [...contextsOf(after)].some((context) =>
      [...objectsOf(context, 'hwpt')].some(({ id }) =>
        [...translations(context, id)].some(({ readable, writable }) => readable && !writable),
      ),
    ),
  ),
]);
