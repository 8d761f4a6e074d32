// SPDX-License-Identifier: MIT
// MD_CHECK_MAP: does a mock domain translate a range of IOVAs to the memory at an address of the program?
// iommufd_test_md_check_pa() in drivers/iommu/iommufd/selftest.c.

import { decode, type Values } from '../abi/layout.ts';
import { MD_CHECK_MAP, MOCK_PAGE_SIZE } from '../abi/test.ts';
import { type ObjectId, PAGE_SIZE_BYTES, pageIndex, U64_MAX } from '../abi/units.ts';
import { MOCK_IOMMU } from '../hardware/templates.ts';
import { translateFrom } from '../hardware/translate.ts';
import { contextOfRequest, type Handler, type Request } from '../iommufd/request.ts';
import { failed, type Outcome, succeeded } from '../outcome/outcome.ts';
import { mapped } from '../state/address-space.ts';
import { hwptAt } from '../state/context.ts';
import { smallestPageSize } from '../state/io-pagetable.ts';
import { spaceOf, withSpace } from '../state/memory.ts';
import { type World, withMemory } from '../state/world.ts';
import { grants, type Rule, refuses, rulesOf } from '../terms/rule.ts';
import { callerPagesRules, isLastPage, pageStart, pagesFrom, sameFrame } from './frames.ts';

export const testMdCheckMapRules = rulesOf(
  {
    id: 'test-md-check-map',
    title: 'IOMMU_TEST_CMD MD_CHECK_MAP',
    source: 'iommufd_test_md_check_pa() in drivers/iommu/iommufd/selftest.c',
  },
  {
    noHwpt: refuses('ENOENT', 'No paging hwpt has the id.'),
    noMockDomain: refuses(
      'EINVAL',
      'The hwpt has no mock domain.',
      'get_md_pagetable() in drivers/iommu/iommufd/selftest.c',
    ),
    misaligned: refuses(
      'EINVAL',
      'iova, length or uptr is not a multiple of the smallest page size of the domain.',
    ),
    wraps: refuses('EINVAL', 'uptr + length exceeds U64_MAX.'),
    differs: refuses('EINVAL', 'An IOVA is not translated, or not to the memory at uptr.'),
    agrees: grants('Every IOVA of the range translates to the memory at uptr.'),
  },
);

type Fields = Values<typeof MD_CHECK_MAP>;

type Range = Readonly<Record<'iova' | 'uptr' | 'length', bigint>>;

type Compared =
  /** So many bytes are the same. */
  | { readonly kind: 'agrees'; readonly bytes: bigint }
  | { readonly kind: 'refused'; readonly rule: Rule }
  | { readonly kind: 'unknown'; readonly bytes: bigint; readonly learned: World };

/** Compares the memory that `iova` translates to with that at `address`, for at most `length` bytes. */
const compare = (
  request: Request,
  world: World,
  id: ObjectId,
  { iova, uptr, length }: Range,
): Compared => {
  const { process } = request.call;
  const page = pageStart(uptr);
  if (isLastPage(page)) return { kind: 'refused', rule: callerPagesRules.wraps };
  const atCaller = pagesFrom(world.memory, process, page, uptr + length - 1n);
  if (atCaller.first.kind === 'none') {
    return { kind: 'refused', rule: callerPagesRules.notAccessible };
  }
  const found = translateFrom(contextOfRequest(request), id, iova);
  if (found === undefined || found.offset !== Number(uptr % PAGE_SIZE_BYTES)) {
    return { kind: 'refused', rule: testMdCheckMapRules.differs };
  }
  const translated = found.last - iova + 1n;
  const shown = atCaller.last - uptr + 1n;
  const bytes = translated < shown ? translated : shown;
  if (atCaller.first.kind === 'frame') {
    if (sameFrame(atCaller.first.frame, found)) return { kind: 'agrees', bytes };
    if (world.memory.knowledge === 'complete') {
      return { kind: 'refused', rule: testMdCheckMapRules.differs };
    }
  }
  // If it agrees, the recording has shown which pages of memory are at the address.
  const space = mapped(spaceOf(world.memory, process), page, {
    last: pageStart(uptr + bytes - 1n) + PAGE_SIZE_BYTES - 1n,
    protection: 'read-write',
    shared: true,
    kind: 'memory',
    backing: found.backing,
    page: pageIndex(found.page),
  });
  return {
    kind: 'unknown',
    bytes,
    learned: withMemory(world, withSpace(world.memory, process, space)),
  };
};

const walk = (request: Request, { id, iova, length, uptr }: Fields): readonly Outcome[] => {
  let { world } = request;
  let unknown = false;
  for (let done = 0n; done < length; ) {
    const left = {
      iova: BigInt.asUintN(64, iova + done),
      uptr: uptr + done,
      length: length - done,
    };
    const compared = compare(request, world, id, left);
    if (compared.kind === 'refused') {
      const reply = failed(compared.rule, request.world);
      return [unknown ? { ...reply, unknown: UNKNOWN_MEMORY } : reply];
    }
    if (compared.kind === 'unknown') {
      unknown = true;
      world = compared.learned;
    }
    done += compared.bytes;
  }
  const agrees = succeeded(testMdCheckMapRules.agrees, world);
  if (!unknown) return [agrees];
  return [
    { ...agrees, unknown: UNKNOWN_MEMORY },
    { ...failed(testMdCheckMapRules.differs, request.world), unknown: UNKNOWN_MEMORY },
  ];
};

const UNKNOWN_MEMORY = 'the recording does not say what memory was at the address then';

export const mdCheckMap: Handler = (request): readonly Outcome[] => {
  const { world } = request;
  const fields = decode(MD_CHECK_MAP, request.bytes);
  const { id, iova, length, uptr } = fields;
  const hwpt = hwptAt(contextOfRequest(request), id);
  const noHwpt =
    hwpt === undefined
      ? testMdCheckMapRules.noHwpt
      : hwpt.domain.iommu !== MOCK_IOMMU
        ? testMdCheckMapRules.noMockDomain
        : undefined;
  const step =
    hwpt === undefined || noHwpt !== undefined
      ? MOCK_PAGE_SIZE
      : smallestPageSize(hwpt.domain.pageSizes);
  const badRange =
    ((iova | length | uptr) & (step - 1n)) !== 0n
      ? testMdCheckMapRules.misaligned
      : uptr + length > U64_MAX
        ? testMdCheckMapRules.wraps
        : undefined;
  const [first, second] = world.release.checkMapFindsHwptFirst
    ? [noHwpt, badRange]
    : [badRange, noHwpt];
  const rule = first ?? second;
  return rule === undefined ? walk(request, fields) : [failed(rule, world)];
};
