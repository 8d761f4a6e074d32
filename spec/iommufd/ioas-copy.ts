// SPDX-License-Identifier: MIT
// IOMMU_IOAS_COPY: iommufd_ioas_copy() in drivers/iommu/iommufd/ioas.c. The copy maps the same memory, which is
// pinned and charged once however many copies there are.

import { decode, fieldOf, withField } from '../abi/layout.ts';
import { IOMMU_IOAS_COPY } from '../abi/native.ts';
import { MOCK_FLAGS_ACCESS_SYZ } from '../abi/test.ts';
import { type ObjectId, U64_MAX } from '../abi/units.ts';
import { slicesOf } from '../iopt/access.ts';
import type { AreaPart } from '../iopt/map.ts';
import { mapInto } from '../iopt/map-user.ts';
import { failed, failedBy, type Outcome } from '../outcome/outcome.ts';
import { byteOf } from '../state/area.ts';
import { type Context, ioasAt, pagesAt, tableOf } from '../state/context.ts';
import { grants, isRefused, type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';
import { hasKnownFlags, isU64Max, mapReply, permissionsOf, targetOf } from './map-reply.ts';
import { contextOfRequest, type Handler, type Request, stateOfRequest } from './request.ts';
import { nthAreaIova } from './syzkaller.ts';

export const ioasCopyRules = rulesOf(
  {
    id: 'ioas-copy',
    title: 'IOMMU_IOAS_COPY',
    source: 'iommufd_ioas_copy() in drivers/iommu/iommufd/ioas.c',
  },
  {
    unknownFlags: refuses(
      'EOPNOTSUPP',
      'A flag other than FIXED_IOVA, WRITEABLE and READABLE is set.',
    ),
    u64Max: refuses('EOVERFLOW', 'src_iova, dst_iova or length is U64_MAX.'),
    noPermission: refuses('EINVAL', 'Neither WRITEABLE nor READABLE is set.'),
    noSource: refuses('ENOENT', 'No IOAS has the id src_ioas_id.'),
    zeroLength: refuses(
      'EINVAL',
      'length is 0.',
      'iopt_get_pages() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    sourceWraps: refuses(
      'EOVERFLOW',
      'src_iova + length - 1 exceeds U64_MAX.',
      'iopt_get_pages() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    sourceNotMapped: refuses(
      'ENOENT',
      'An IOVA of the source range is not mapped.',
      'iopt_get_pages() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    noDestination: refuses('ENOENT', 'No IOAS has the id dst_ioas_id.'),
    copies: grants(
      'Maps the memory again, with its own permissions; dst_iova returns where. Neither mapping depends on the other.',
    ),
    replyFault: refuses('EFAULT', 'The struct cannot be written back; the copy stays mapped.'),
  },
);

/** The memory mapped in the source range, area by area. */
const partsFrom = (
  context: Context,
  ioas: ObjectId,
  iova: bigint,
  length: bigint,
): readonly AreaPart[] | Refused => {
  if (length === 0n) return refused(ioasCopyRules.zeroLength);
  const last = iova + length - 1n;
  if (last > U64_MAX) return refused(ioasCopyRules.sourceWraps);
  const parts: AreaPart[] = [];
  let reached = false;
  for (const slice of slicesOf(tableOf(context, ioas).areas, iova, last)) {
    parts.push({
      pages: slice.node.value.pages,
      startByte: byteOf(slice.node, slice.iova),
      length: slice.last - slice.iova + 1n,
    });
    reached = slice.last === last;
  }
  return reached ? parts : refused(ioasCopyRules.sourceNotMapped);
};

/**
 * With the flag SYZ, test kernels take src_iova as the nth area and an offset. They store the IOVA in the struct and
 * clear the flag.
 */
const withoutFuzzerFlag = (request: Request): Request => {
  const { world } = request;
  const fields = decode(IOMMU_IOAS_COPY, request.bytes);
  if (!world.setting.platform.testCommands || (fields.flags & MOCK_FLAGS_ACCESS_SYZ) === 0) {
    return request;
  }
  const flags = fields.flags & ~MOCK_FLAGS_ACCESS_SYZ;
  const bytes = withField(request.bytes, fieldOf(IOMMU_IOAS_COPY, 'flags'), flags);
  const source = ioasAt(contextOfRequest(request), fields.src_ioas_id);
  if (source === undefined) return { ...request, bytes };
  const iova = nthAreaIova(source.table.areas, fields.src_iova);
  return { ...request, bytes: withField(bytes, fieldOf(IOMMU_IOAS_COPY, 'src_iova'), iova) };
};

export const ioasCopy: Handler = (passed): readonly Outcome[] => {
  const { world } = passed;
  const request = withoutFuzzerFlag(passed);
  const context = contextOfRequest(request);
  const fields = decode(IOMMU_IOAS_COPY, request.bytes);
  if (!hasKnownFlags(fields.flags)) return [failed(ioasCopyRules.unknownFlags, world)];
  if (isU64Max(fields.length) || isU64Max(fields.src_iova) || isU64Max(fields.dst_iova)) {
    return [failed(ioasCopyRules.u64Max, world)];
  }
  const permissions = permissionsOf(fields.flags);
  if (!permissions.readable && !permissions.writable) {
    return [failed(ioasCopyRules.noPermission, world)];
  }
  if (ioasAt(context, fields.src_ioas_id) === undefined) {
    return [failed(ioasCopyRules.noSource, world)];
  }
  const parts = partsFrom(context, fields.src_ioas_id, fields.src_iova, fields.length);
  if (isRefused(parts)) return [failedBy(parts, world)];
  if (ioasAt(context, fields.dst_ioas_id) === undefined) {
    return [failed(ioasCopyRules.noDestination, world)];
  }
  const target = targetOf(fields.flags, fields.dst_iova);
  const [first] = parts as readonly [AreaPart, ...AreaPart[]];
  const address = pagesAt(context, first.pages).source.start + first.startByte;
  const copy = { ioas: fields.dst_ioas_id, target, length: fields.length, permissions };
  const mapped = mapInto(stateOfRequest(request), copy, parts, address);
  if (isRefused(mapped)) return [failedBy(mapped, world)];
  const struct = { layout: IOMMU_IOAS_COPY, field: 'dst_iova' } as const;
  return [
    mapReply(request, struct, target, mapped, {
      granted: ioasCopyRules.copies,
      replyFault: ioasCopyRules.replyFault,
    }),
  ];
};
