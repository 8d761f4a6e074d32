// SPDX-License-Identifier: MIT
// IOMMU_IOAS_MAP_FILE: iommufd_ioas_map_file() in drivers/iommu/iommufd/ioas.c.

import { decode } from '../abi/layout.ts';
import { IOMMU_IOAS_MAP_FILE } from '../abi/native.ts';
import { U64_MAX } from '../abi/units.ts';
import { mapFile } from '../iopt/map-user.ts';
import { recordedFile } from '../knowledge/recorded.ts';
import { pinningRules } from '../memory/pin.ts';
import { failed, failedBy, type Outcome } from '../outcome/outcome.ts';
import { ioasAt } from '../state/context.ts';
import { fileAt, openFile } from '../state/world.ts';
import { grants, isRefused, refuses, rulesOf } from '../terms/rule.ts';
import { hasKnownFlags, isU64Max, mapReply, permissionsOf, targetOf } from './map-reply.ts';
import { contextOfRequest, type Handler, stateOfRequest } from './request.ts';
import { untrackingAll } from './untracked.ts';

export const ioasMapFileRules = rulesOf(
  {
    id: 'ioas-map-file',
    title: 'IOMMU_IOAS_MAP_FILE',
    source: 'iommufd_ioas_map_file() in drivers/iommu/iommufd/ioas.c',
  },
  {
    unknownFlags: refuses(
      'EOPNOTSUPP',
      'A flag other than FIXED_IOVA, WRITEABLE and READABLE is set.',
    ),
    u64Max: refuses('EOVERFLOW', 'iova or length is U64_MAX.'),
    noPermission: refuses('EINVAL', 'Neither WRITEABLE nor READABLE is set.'),
    noIoas: refuses('ENOENT', 'No IOAS has the id ioas_id.'),
    zeroLength: refuses(
      'EINVAL',
      'length is 0.',
      'iopt_map_file_pages() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    wraps: refuses(
      'EOVERFLOW',
      'start + length - 1 exceeds U64_MAX.',
      'iopt_map_file_pages() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    badDescriptor: refuses(
      'EBADF',
      'The descriptor fd is not open.',
      'iopt_map_file_pages() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    maps: grants(
      'Maps the memory of the file in every domain of the IOAS, at iova or at a chosen IOVA that iova returns.',
    ),
    replyFault: refuses('EFAULT', 'The struct cannot be written back; the area stays mapped.'),
  },
);

export const ioasMapFile: Handler = (request): readonly Outcome[] => {
  const { world, call } = request;
  const fields = decode(IOMMU_IOAS_MAP_FILE, request.bytes);
  if (!hasKnownFlags(fields.flags)) return [failed(ioasMapFileRules.unknownFlags, world)];
  if (isU64Max(fields.iova) || isU64Max(fields.length)) {
    return [failed(ioasMapFileRules.u64Max, world)];
  }
  const permissions = permissionsOf(fields.flags);
  if (!permissions.readable && !permissions.writable) {
    return [failed(ioasMapFileRules.noPermission, world)];
  }
  if (ioasAt(contextOfRequest(request), fields.ioas_id) === undefined) {
    return [failed(ioasMapFileRules.noIoas, world)];
  }
  if (fields.length === 0n) return [failed(ioasMapFileRules.zeroLength, world)];
  if (fields.start + fields.length - 1n > U64_MAX) {
    return [failed(ioasMapFileRules.wraps, world)];
  }
  const id = fileAt(world, call.process, fields.fd);
  const file = id === undefined ? undefined : openFile(world, id);
  if (file === undefined && world.memory.knowledge === 'complete') {
    return [failed(ioasMapFileRules.badDescriptor, world)];
  }
  if (file !== undefined && file.kind !== 'memfd') {
    return [untrackingAll(request, 'mapping a file that is not a memfd of the program')];
  }
  const target = targetOf(fields.flags, fields.iova);
  const mapped = mapFile(stateOfRequest(request), {
    ioas: fields.ioas_id,
    target,
    process: call.process,
    file: file ?? recordedFile(fields.fd),
    start: fields.start,
    length: fields.length,
    permissions,
  });
  if (isRefused(mapped)) return [failedBy(mapped, world)];
  const struct = { layout: IOMMU_IOAS_MAP_FILE, field: 'iova' } as const;
  const reply = mapReply(request, struct, target, mapped, {
    granted: ioasMapFileRules.maps,
    replyFault: ioasMapFileRules.replyFault,
  });
  if (file !== undefined) return [reply];
  const unknown = `the recording does not say what file descriptor ${fields.fd} is`;
  return [
    { ...reply, unknown },
    { ...failed(ioasMapFileRules.badDescriptor, world), unknown },
    { ...failed(pinningRules.fileTooShort, world), unknown },
  ];
};
