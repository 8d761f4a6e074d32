// SPDX-License-Identifier: MIT
// IOMMU_IOAS_NOIOMMU_GET_PA: iommufd_ioas_noiommu_get_pa() in drivers/iommu/iommufd/ioas.c. A program that uses a
// device without an IOMMU gets physical addresses for the device from it. The address is the kernel's choice.

import { decode } from '../abi/layout.ts';
import { IOMMU_IOAS_NOIOMMU_GET_PA } from '../abi/native.ts';
import { PAGE_SIZE_BYTES, U64_MAX } from '../abi/units.ts';
import { SOFTWARE_IOMMU } from '../hardware/templates.ts';
import { translate } from '../hardware/translate.ts';
import { type Choice, failed, type Outcome, succeeded, withChoices } from '../outcome/outcome.ts';
import { areaAt } from '../state/area.ts';
import { hwptAt, ioasAt } from '../state/context.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import { addressOf, contextOfRequest, type Handler, respond, respondRules } from './request.ts';

export const ioasNoIommuGetPaRules = rulesOf(
  {
    id: 'ioas-noiommu-get-pa',
    title: 'IOMMU_IOAS_NOIOMMU_GET_PA',
    source: 'iommufd_ioas_noiommu_get_pa() in drivers/iommu/iommufd/ioas.c',
  },
  {
    notPrivileged: refuses('EPERM', 'The process lacks CAP_SYS_RAWIO.'),
    unknownFlags: refuses('EOPNOTSUPP', 'flags or __reserved is not 0.'),
    zeroLength: refuses('EINVAL', 'length is 0.'),
    u64Max: refuses('EOVERFLOW', 'iova is U64_MAX.'),
    noIoas: refuses('ENOENT', 'No IOAS has the id ioas_id.'),
    notMapped: refuses(
      'ENOENT',
      'iova is not mapped.',
      'iopt_get_phys() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    noSoftwareDomain: refuses(
      'EOPNOTSUPP',
      'There is no domain, or the one in slot 0 is a hardware domain.',
      'iopt_get_phys() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    reports: grants(
      'out_phys returns the physical address; length returns how many bytes are contiguous there, within the area and the length that was passed.',
      'iopt_get_phys() in drivers/iommu/iommufd/io_pagetable.c',
    ),
  },
);

const PHYSICAL_END = 1n << 52n;

const physicalChoice = (address: bigint, offset: bigint): Choice => ({
  what: 'a physical address',
  location: { in: 'memory', address, width: 8 },
  preferred: offset,
  unfit: (value) => {
    if (value >= PHYSICAL_END) return 'physical addresses have 52 bits';
    return value % PAGE_SIZE_BYTES === offset
      ? undefined
      : 'its offset in the page is not that of the mapped byte';
  },
});

/** From the IOVA, `first` bytes are left in its page, and `rest` bytes in the area. */
const lengthChoice = (address: bigint, wanted: bigint, first: bigint, rest: bigint): Choice => ({
  what: 'how many bytes are contiguous',
  location: { in: 'memory', address, width: 8 },
  preferred: first < wanted ? first : wanted,
  unfit: (value) => {
    if (value > wanted) return 'it exceeds the length that was passed';
    if (value > rest) return 'it exceeds the area';
    if (value === wanted) return undefined;
    return value >= first && (value - first) % PAGE_SIZE_BYTES === 0n
      ? undefined
      : 'it is neither the length that was passed nor a number of whole pages after the first';
  },
});

export const ioasNoIommuGetPa: Handler = (request): readonly Outcome[] => {
  const { world } = request;
  const rules = ioasNoIommuGetPaRules;
  const fields = decode(IOMMU_IOAS_NOIOMMU_GET_PA, request.bytes);
  const { iova, length } = fields;
  if (!world.setting.credentials.privileged) return [failed(rules.notPrivileged, world)];
  if (fields.flags !== 0 || fields.__reserved !== 0) return [failed(rules.unknownFlags, world)];
  if (length === 0n) return [failed(rules.zeroLength, world)];
  if (iova === U64_MAX) return [failed(rules.u64Max, world)];
  const context = contextOfRequest(request);
  const ioas = ioasAt(context, fields.ioas_id);
  if (ioas === undefined) return [failed(rules.noIoas, world)];
  const area = areaAt(ioas.table.areas, iova);
  if (area === undefined) return [failed(rules.notMapped, world)];
  const [domain] = ioas.table.slots;
  if (domain === undefined || hwptAt(context, domain)?.domain.iommu !== SOFTWARE_IOMMU) {
    return [failed(rules.noSoftwareDomain, world)];
  }
  const offset = BigInt(translate(context, domain, iova)?.offset ?? 0);
  const rest = area.value.last - iova + 1n;
  const inPage = PAGE_SIZE_BYTES - (iova % PAGE_SIZE_BYTES);
  const first = inPage < rest ? inPage : rest;
  const physical = physicalChoice(
    addressOf(request, IOMMU_IOAS_NOIOMMU_GET_PA, 'out_phys'),
    offset,
  );
  const together = lengthChoice(
    addressOf(request, IOMMU_IOAS_NOIOMMU_GET_PA, 'length'),
    length,
    first,
    rest,
  );
  const answer = respond(request, IOMMU_IOAS_NOIOMMU_GET_PA, {
    length: together.preferred,
    out_phys: physical.preferred,
  });
  if (!answer.whole) return [failed(respondRules.replyFault, world, [answer.write])];
  const reply = succeeded(rules.reports, world, [answer.write]);
  return [withChoices(reply, { list: [together, physical], world: () => world })];
};
