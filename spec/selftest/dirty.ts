// DIRTY: pages of a mock domain become dirty, as if a device had written them. iommufd_test_dirty() in
// drivers/iommu/iommufd/selftest.c. Which pages that are is not followed, as it depends on how memory lies together.

import { decode } from '../abi/layout.ts';
import { DIRTY } from '../abi/test.ts';
import { MOCK_IOMMU } from '../hardware/templates.ts';
import { hwptAt, withObject } from '../iommufd/context.ts';
import { contextOfRequest, type Handler } from '../iommufd/request.ts';
import { failed } from '../outcome.ts';
import { refuses, rulesOf } from '../rule.ts';
import { withContext } from '../world.ts';

export const dirtyRules = rulesOf(
  'IOMMU_TEST_CMD DIRTY',
  'iommufd_test_dirty() in drivers/iommu/iommufd/selftest.c',
  {
    noPages: refuses(
      'EINVAL',
      'page_size, length or uptr is 0, or the IOVA or the length is no multiple of page_size.',
    ),
    tooMany: { ...refuses('EOVERFLOW', 'These are more than 2^27 pages.'), only: ['7.3.4'] },
    noHwpt: refuses('ENOENT', 'There is no paging hwpt of that id.'),
    noMockDomain: refuses(
      'EINVAL',
      'The hwpt has no mock domain.',
      'get_md_pagetable() in drivers/iommu/iommufd/selftest.c',
    ),
    notTracking: refuses('EINVAL', 'The domain does not track dirty pages now.'),
  },
);

const MOST_PAGES = 1n << 27n;

export const dirty: Handler = (request) => {
  const { world } = request;
  const fields = decode(DIRTY, request.bytes);
  const { iova, length, page_size: size } = fields;
  const isOfPages = size !== 0n && length !== 0n && iova % size === 0n && length % size === 0n;
  if (!isOfPages || fields.uptr === 0n) return [failed(dirtyRules.noPages, world)];
  if (world.release.dirtyPagesAreLimited && length / size > MOST_PAGES) {
    return [failed(dirtyRules.tooMany, world)];
  }
  const context = contextOfRequest(request);
  const hwpt = hwptAt(context, fields.id);
  if (hwpt === undefined) return [failed(dirtyRules.noHwpt, world)];
  if (hwpt.domain.iommu !== MOCK_IOMMU) return [failed(dirtyRules.noMockDomain, world)];
  if (hwpt.dirtyTracking === 'stopped') return [failed(dirtyRules.notTracking, world)];
  const written = withObject(context, fields.id, { ...hwpt, dirtyTracking: 'doubtful' });
  return [
    {
      kind: 'unspecified',
      what: 'IOMMU_TEST_CMD DIRTY',
      world: ({ errno }) => (errno === 0 ? withContext(world, written) : world),
    },
  ];
};
