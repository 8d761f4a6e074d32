// SPDX-License-Identifier: MIT
// IOMMU_IOAS_ALLOW_IOVAS: iommufd_ioas_allow_iovas() in drivers/iommu/iommufd/ioas.c.

import { decode } from '../abi/layout.ts';
import { IOMMU_IOAS_ALLOW_IOVAS, IOVA_RANGE } from '../abi/native.ts';
import { allowing } from '../iopt/reserve.ts';
import { load } from '../knowledge/user-copy.ts';
import { failed, failedBy, type Outcome, type Reply, succeeded } from '../outcome/outcome.ts';
import { ioasAt, withTable } from '../state/context.ts';
import { withContext } from '../state/world.ts';
import type { IovaRange } from '../terms/platform.ts';
import { grants, isRefused, refuses, rulesOf } from '../terms/rule.ts';
import { contextOfRequest, type Handler, type Request } from './request.ts';

export const ioasAllowIovasRules = rulesOf(
  {
    id: 'ioas-allow-iovas',
    title: 'IOMMU_IOAS_ALLOW_IOVAS',
    source: 'iommufd_ioas_allow_iovas() in drivers/iommu/iommufd/ioas.c',
  },
  {
    reservedField: refuses('EOPNOTSUPP', '__reserved is not 0.'),
    noIoas: refuses('ENOENT', 'No IOAS has the id ioas_id.'),
    arrayFault: refuses(
      'EFAULT',
      'An element of allowed_iovas cannot be read.',
      'iommufd_ioas_load_iovas() in drivers/iommu/iommufd/ioas.c',
    ),
    emptyRange: refuses(
      'EINVAL',
      'start >= last; a range of one byte is refused too.',
      'iommufd_ioas_load_iovas() in drivers/iommu/iommufd/ioas.c',
    ),
    overlappingRanges: refuses(
      'EINVAL',
      'A range overlaps an earlier one of the array.',
      'iommufd_ioas_load_iovas() in drivers/iommu/iommufd/ioas.c',
    ),
    allows: grants(
      'Chosen IOVAs come from these ranges only, or from anywhere if there are none; nothing can reserve IOVAs in them.',
    ),
  },
);

type LoadedRanges = { readonly ranges: readonly IovaRange[] } | { readonly reply: Reply };

const loadRanges = (request: Request, address: bigint, count: number): LoadedRanges => {
  const { world, call } = request;
  const ranges: IovaRange[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = BigInt.asUintN(64, address + BigInt(index * IOVA_RANGE.size));
    const loaded = load(world.memory, call, at, IOVA_RANGE.size);
    if (loaded.kind === 'fault') return { reply: failed(ioasAllowIovasRules.arrayFault, world) };
    if (loaded.kind === 'unknown') {
      const unknown = `the recording does not show element ${index} of the array`;
      return { reply: { ...succeeded(ioasAllowIovasRules.allows, world), unknown } };
    }
    const range = decode(IOVA_RANGE, loaded.bytes);
    if (range.start >= range.last) return { reply: failed(ioasAllowIovasRules.emptyRange, world) };
    if (ranges.some(({ start, last }) => start <= range.last && range.start <= last)) {
      return { reply: failed(ioasAllowIovasRules.overlappingRanges, world) };
    }
    ranges.push(range);
  }
  return { ranges };
};

export const ioasAllowIovas: Handler = (request): readonly Outcome[] => {
  const { world } = request;
  const fields = decode(IOMMU_IOAS_ALLOW_IOVAS, request.bytes);
  if (fields.__reserved !== 0) return [failed(ioasAllowIovasRules.reservedField, world)];
  const context = contextOfRequest(request);
  const ioas = ioasAt(context, fields.ioas_id);
  if (ioas === undefined) return [failed(ioasAllowIovasRules.noIoas, world)];

  const loaded = loadRanges(request, fields.allowed_iovas, fields.num_iovas);
  if ('reply' in loaded) return [loaded.reply];
  const table = allowing(ioas.table, loaded.ranges);
  if (isRefused(table)) return [failedBy(table, world)];
  return [
    succeeded(
      ioasAllowIovasRules.allows,
      withContext(world, withTable(context, fields.ioas_id, table)),
    ),
  ];
};
