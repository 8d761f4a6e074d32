// SPDX-License-Identifier: MIT
// The descriptors of accesses that the test command made: iommufd_access_get() in drivers/iommu/iommufd/selftest.c. The
// access may belong to another iommufd than the one that the call is made on.

import type { Fd, ObjectId } from '../abi/units.ts';
import { type Access, accessAt } from '../state/context.ts';
import type { FileId } from '../state/files.ts';
import { contextOf, fileAt, openFile, type World } from '../state/world.ts';
import type { Process } from '../terms/call.ts';
import { refuses, rulesOf } from '../terms/rule.ts';

export const testAccessDescriptorRules = rulesOf(
  {
    id: 'test-access-descriptor',
    title: 'IOMMU_TEST_CMD on an access',
    source: 'iommufd_access_get() in drivers/iommu/iommufd/selftest.c',
  },
  {
    notAnAccess: refuses('EBADFD', 'The descriptor is not open, or not that of an access.'),
  },
);

export type FoundAccess = {
  readonly iommufd: FileId;
  readonly object: ObjectId;
  readonly access: Access;
};

/** The access of a descriptor. */
export const accessOfDescriptor = (
  world: World,
  process: Process,
  fd: Fd,
): FoundAccess | undefined => {
  const id = fileAt(world, process, fd);
  const file = id === undefined ? undefined : openFile(world, id);
  if (file?.kind !== 'access') return undefined;
  const access = accessAt(contextOf(world, file.iommufd), file.object);
  return access === undefined ? undefined : { iommufd: file.iommufd, object: file.object, access };
};

/** Why the state of the access of a descriptor is not known; undefined if it is known. */
export const doubtOfAccess = (world: World, process: Process, fd: Fd): string | undefined => {
  const id = fileAt(world, process, fd);
  const file = id === undefined ? undefined : openFile(world, id);
  if (file?.kind === 'unspecified') return `${file.path}, when the descriptor was opened`;
  if (file?.kind !== 'access') return undefined;
  const { untracked } = contextOf(world, file.iommufd);
  return untracked === undefined ? undefined : `${untracked} may have changed it`;
};
