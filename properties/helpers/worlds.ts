// SPDX-License-Identifier: MIT
// Worlds that programs of laws reach.

export {
  areasOf,
  containersOf,
  contextsOf,
  entriesOf,
  firstOf,
  hex,
  objectsOf,
  type TableOf,
  tablesOf,
} from '../../model/laws/worlds.ts';
