// SPDX-License-Identifier: MIT
// Laws of the I/O page table of every IOAS.

import { TABLE_LAWS } from '../../../model/laws/tables.ts';
import { U64_MAX } from '../../../spec/abi/units.ts';
import type { IoPagetable } from '../../../spec/state/io-pagetable.ts';
import { alwaysAll, checkLaws, sometimes } from '../../harness/law.ts';
import { areasOf, tablesOf } from '../../helpers/worlds.ts';

const someTable = (name: string, happens: (table: IoPagetable) => boolean) =>
  sometimes(name, ({ after }) => [...tablesOf(after)].some(({ table }) => happens(table)));

checkLaws('I/O page table', [
  ...alwaysAll(TABLE_LAWS),
  someTable('one table has five areas', ({ areas }) => (areas?.size ?? 0) >= 5),
  someTable('two areas touch', (table) =>
    areasOf(table).some(({ key }, index, all) => all[index - 1]?.value.last === key - 1n),
  ),
  someTable('an area starts at IOVA 0', (table) => areasOf(table)[0]?.key === 0n),
  someTable(
    'an area ends at the last IOVA',
    (table) => areasOf(table).at(-1)?.value.last === U64_MAX,
  ),
  someTable('an area starts within a page of its memory', (table) =>
    areasOf(table).some(({ value }) => value.startByte % 4096n !== 0n),
  ),
  someTable(
    'an area is in two domains',
    ({ areas, domains }) => areas !== undefined && domains.length >= 2,
  ),
  someTable(
    'a table has allowed and reserved ranges',
    ({ allowed, reservedSpans }) => allowed.length > 0 && reservedSpans.length > 0,
  ),
  someTable(
    'large pages are disabled where a domain translates',
    ({ largePagesDisabled, domains, areas }) =>
      largePagesDisabled && domains.length > 0 && areas !== undefined,
  ),
]);
