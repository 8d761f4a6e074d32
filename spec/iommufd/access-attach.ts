// SPDX-License-Identifier: MIT
// Attaching accesses to an IOAS: iommufd_access_change_ioas() in drivers/iommu/iommufd/device.c.

import { type ObjectId, U64_MAX } from '../abi/units.ts';
import { withoutPinsIn } from '../iopt/access.ts';
import { realigned, requiredAlignment } from '../iopt/alignment.ts';
import { accessAt, ioasAt, tableOf, withObject, withTable } from '../state/context.ts';
import { withUsers } from '../state/io-pagetable.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { isRefused, type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';

export const attachingAccessRules = rulesOf(
  {
    id: 'attaching-access',
    title: 'attaching an access',
    source: 'iommufd_access_change_ioas() in drivers/iommu/iommufd/device.c',
  },
  {
    noIoas: refuses('ENOENT', 'No IOAS has the id.'),
  },
);

const accessOf = (state: IommufdState, id: ObjectId) => {
  const access = accessAt(state.context, id);
  if (access === undefined) throw new Error(`Object ${id} is to be attached and is not an access.`);
  return access;
};

/** Detaches the access, and unpins what it had pinned. */
export const detachAccess = (state: IommufdState, id: ObjectId): IommufdState => {
  const { ioas } = accessOf(state, id);
  if (ioas === undefined) return state;
  const emptied = withoutPinsIn(state, id, 0n, U64_MAX);
  const table = tableOf(emptied.context, ioas);
  const accesses = table.accesses.filter((other) => other !== id);
  const alone = withObject(emptied.context, id, { ...accessOf(emptied, id), ioas: undefined });
  const without = withUsers(table, table.domains, accesses, table.alignment);
  const alignment = requiredAlignment(alone, without);
  return {
    context: withTable(alone, ioas, withUsers(table, table.domains, accesses, alignment)),
    memory: emptied.memory,
  };
};

/** Attaches the access to an IOAS, in place of the one that it had. On refusal nothing changes. */
export const attachAccess = (
  state: IommufdState,
  id: ObjectId,
  ioas: ObjectId,
): IommufdState | Refused => {
  const found = ioasAt(state.context, ioas);
  if (found === undefined) return refused(attachingAccessRules.noIoas);
  if (accessOf(state, id).ioas === ioas) return state;
  const accesses = [...found.table.accesses, id];
  const table = realigned(
    state.context,
    withUsers(found.table, found.table.domains, accesses, found.table.alignment),
  );
  if (isRefused(table)) return table;
  const detached = detachAccess(state, id);
  const attached = withObject(detached.context, id, { ...accessOf(detached, id), ioas });
  return { context: withTable(attached, ioas, table), memory: detached.memory };
};
