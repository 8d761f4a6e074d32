// SPDX-License-Identifier: MIT
// Ways into a world that laws use.

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
