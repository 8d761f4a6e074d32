// SPDX-License-Identifier: MIT
// IOMMU_IOAS_IOVA_RANGES: iommufd_ioas_iova_ranges() in drivers/iommu/iommufd/ioas.c.

import { decode, encode } from '../abi/layout.ts';
import { IOMMU_IOAS_IOVA_RANGES, IOVA_RANGE } from '../abi/native.ts';
import { write } from '../knowledge/user-copy.ts';
import { failed, succeeded } from '../outcome/outcome.ts';
import { ioasAt } from '../state/context.ts';
import { usableRanges } from '../state/io-pagetable.ts';
import type { Segment } from '../terms/call.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import { contextOfRequest, type Handler, respond, respondRules } from './request.ts';

export const ioasIovaRangesRules = rulesOf(
  {
    id: 'ioas-iova-ranges',
    title: 'IOMMU_IOAS_IOVA_RANGES',
    source: 'iommufd_ioas_iova_ranges() in drivers/iommu/iommufd/ioas.c',
  },
  {
    reservedField: refuses('EOPNOTSUPP', '__reserved is not 0.'),
    noIoas: refuses('ENOENT', 'No IOAS has the id ioas_id.'),
    arrayFault: refuses(
      'EFAULT',
      'An element of allowed_iovas cannot be written. Those before it are written, the struct is not.',
    ),
    tooManyRanges: refuses(
      'EMSGSIZE',
      'There are more than num_iovas ranges: the array is filled, num_iovas returns their count, and out_iova_alignment the alignment.',
    ),
    reports: grants(
      'allowed_iovas returns the usable ranges, ascending, num_iovas their count, and out_iova_alignment the alignment that maps need.',
    ),
  },
);

export const ioasIovaRanges: Handler = (request) => {
  const { world } = request;
  const fields = decode(IOMMU_IOAS_IOVA_RANGES, request.bytes);
  if (fields.__reserved !== 0) return [failed(ioasIovaRangesRules.reservedField, world)];
  const ioas = ioasAt(contextOfRequest(request), fields.ioas_id);
  if (ioas === undefined) return [failed(ioasIovaRangesRules.noIoas, world)];

  const ranges = usableRanges(ioas.table);
  const writes: Segment[] = [];
  for (const [index, range] of ranges.slice(0, fields.num_iovas).entries()) {
    const at = fields.allowed_iovas + BigInt(index * IOVA_RANGE.size);
    const element = write(world.memory, request.call.process, at, encode(IOVA_RANGE, range));
    writes.push(element.write);
    if (!element.whole) return [failed(ioasIovaRangesRules.arrayFault, world, writes)];
  }
  const answer = respond(request, IOMMU_IOAS_IOVA_RANGES, {
    num_iovas: ranges.length,
    out_iova_alignment: ioas.table.alignment,
  });
  writes.push(answer.write);
  if (!answer.whole) return [failed(respondRules.replyFault, world, writes)];
  return ranges.length > fields.num_iovas
    ? [failed(ioasIovaRangesRules.tooManyRanges, world, writes)]
    : [succeeded(ioasIovaRangesRules.reports, world, writes)];
};
