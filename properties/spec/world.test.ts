// SPDX-License-Identifier: MIT
// Laws of ownership: what refers to something refers to something that exists, and nothing exists without an owner.

import { CLOSING_LAW } from '../../model/laws/closing.ts';
import { OWNERSHIP_LAWS } from '../../model/laws/ownership.ts';
import { valuesOf } from '../../spec/collections/ordered-map.ts';
import { usersOf } from '../../spec/state/context.ts';
import { descriptorsOf } from '../../spec/state/world.ts';
import { alwaysAll, checkLaws, eachStep, sometimes } from '../harness/law.ts';
import { contextsOf, objectsOf } from '../helpers/worlds.ts';

const PROCESS = 1;

const closingGivesEverythingBack = eachStep(
  CLOSING_LAW.name,
  ({ after }) => CLOSING_LAW.contradiction(after),
  3,
);

checkLaws('ownership', [
  ...alwaysAll(OWNERSHIP_LAWS),
  closingGivesEverythingBack,
  sometimes(
    'an iommufd outlives its descriptor',
    ({ after }) =>
      after.devices.size > 0 &&
      [...after.devices.values()].some(
        (device) =>
          device.kind === 'bound' &&
          ![...valuesOf(descriptorsOf(after, PROCESS))].includes(device.iommufd),
      ),
  ),
  sometimes('two iommufds are open', ({ after }) => [...contextsOf(after)].length >= 2),
  sometimes(
    'a group of two devices is attached',
    ({ after }) => after.devices.has('0000:01:00.0') && after.devices.has('0000:01:00.1'),
  ),
  sometimes('a device without an IOMMU is open through an iommufd', ({ after }) =>
    [...after.devices.values()].some(({ kind }) => kind === 'unbound'),
  ),
  sometimes('an mdev is open', ({ after }) => after.devices.has('mtty-1')),
  sometimes('an hwpt of the program has no device', ({ after }) =>
    [...contextsOf(after)].some((context) =>
      [...objectsOf(context, 'hwpt')].some(({ id }) => usersOf(context, id) === 0),
    ),
  ),
]);
