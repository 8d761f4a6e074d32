// SPDX-License-Identifier: MIT
// ACCESS_PAGES and DESTROY_ACCESS_PAGES: an access pins a range and unpins it. iommufd_test_access_pages() in
// drivers/iommu/iommufd/selftest.c.

import { decode } from '../abi/layout.ts';
import {
  ACCESS_LENGTH_MAX,
  ACCESS_PAGES,
  DESTROY_ACCESS_PAGES,
  MOCK_FLAGS_ACCESS_SYZ,
  MOCK_FLAGS_ACCESS_WRITE,
} from '../abi/test.ts';
import { fileDescriptor, type ObjectId, PAGE_SIZE_BYTES, pageIndex } from '../abi/units.ts';
import { type Handler, type Request, respond, respondRules } from '../iommufd/request.ts';
import { nthAreaIova } from '../iommufd/syzkaller.ts';
import { pinAccess, rangeOfAccess, slicesOf, withoutPinsIn } from '../iopt/access.ts';
import { failed, failedBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import { byteOf } from '../state/area.ts';
import { accessAt, pagesAt, tableOf, withObject } from '../state/context.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { runAt } from '../state/pages.ts';
import { stateOf, withState } from '../state/world.ts';
import { grants, isRefused, type Rule, refuses, rulesOf } from '../terms/rule.ts';
import {
  accessOfDescriptor,
  type FoundAccess,
  testAccessDescriptorRules,
} from './access-descriptor.ts';
import {
  callerPagesRules,
  type Frame,
  isLastPage,
  pageStart,
  pagesFrom,
  sameFrame,
} from './frames.ts';

export const testAccessPagesRules = rulesOf(
  {
    id: 'test-access-pages',
    title: 'IOMMU_TEST_CMD ACCESS_PAGES',
    source: 'iommufd_test_access_pages() in drivers/iommu/iommufd/selftest.c',
  },
  {
    tooLong: refuses('ENOMEM', 'length exceeds 16 MiB.'),
    unknownFlags: refuses('EOPNOTSUPP', 'A flag other than WRITE and SYZ is set.'),
    cannotPin: refuses('EOPNOTSUPP', 'The access was created without NEEDS_PIN_PAGES.'),
    differs: refuses(
      'EBADE',
      'The pages of the range are not those at uptr.',
      'iommufd_test_check_pages() in drivers/iommu/iommufd/selftest.c',
    ),
    pins: grants(
      'Pins the pages of the range until they are unpinned or unmapped; out_access_pages_id returns the number of the pin.',
    ),
  },
);

export const testDestroyAccessPagesRules = rulesOf(
  {
    id: 'test-destroy-access-pages',
    title: 'IOMMU_TEST_CMD DESTROY_ACCESS_PAGES',
    source: 'iommufd_test_access_item_destroy() in drivers/iommu/iommufd/selftest.c',
  },
  {
    noPin: refuses('ENOENT', 'The access has no pin of that number.'),
    unpins: grants('Unpins the pages.'),
  },
);

/** Consecutive pages of one backing. */
type Frames = { readonly first: Frame; readonly count: number };

/** The pages of a pinned range, in order. */
function* framesOf(
  state: IommufdState,
  ioas: ObjectId,
  iova: bigint,
  last: bigint,
): Generator<Frames> {
  for (const slice of slicesOf(tableOf(state.context, ioas).areas, iova, last)) {
    const { pinned } = pagesAt(state.context, slice.node.value.pages);
    const end = Number(byteOf(slice.node, slice.last) / PAGE_SIZE_BYTES);
    let index = Number(byteOf(slice.node, slice.iova) / PAGE_SIZE_BYTES);
    while (index <= end) {
      const found = runAt(pinned, pageIndex(index));
      if (found === undefined) throw new Error(`Page ${index} of an access is not pinned.`);
      const { backing, page, last: lastOfRun } = found.run;
      const count = Math.min(lastOfRun, end) - index + 1;
      yield { first: { backing, page: page + (index - found.first) }, count };
      index += count;
    }
  }
}

type Comparison = Rule | 'agrees' | 'unknown';

const compareFrames = (request: Request, { first, count }: Frames, address: bigint): Comparison => {
  const { memory } = request.world;
  for (let done = 0; done < count; ) {
    const at = BigInt.asUintN(64, address + BigInt(done) * PAGE_SIZE_BYTES);
    const page = pageStart(at);
    if (isLastPage(page)) return callerPagesRules.wraps;
    const end = page + BigInt(count - done) * PAGE_SIZE_BYTES - 1n;
    const atCaller = pagesFrom(memory, request.call.process, page, end);
    if (atCaller.first.kind === 'none') return callerPagesRules.notAccessible;
    if (atCaller.first.kind === 'unknown') return 'unknown';
    if (!sameFrame(atCaller.first.frame, { ...first, page: first.page + done })) {
      return memory.knowledge === 'complete' ? testAccessPagesRules.differs : 'unknown';
    }
    done += Number((atCaller.last + 1n - page) / PAGE_SIZE_BYTES);
  }
  return 'agrees';
};

const compareWithCaller = (
  request: Request,
  state: IommufdState,
  ioas: ObjectId,
  iova: bigint,
  last: bigint,
  address: bigint,
): Comparison => {
  let at = BigInt.asUintN(64, address - (iova % PAGE_SIZE_BYTES));
  for (const frames of framesOf(state, ioas, iova, last)) {
    const compared = compareFrames(request, frames, at);
    if (compared !== 'agrees') return compared;
    at = BigInt.asUintN(64, at + BigInt(frames.count) * PAGE_SIZE_BYTES);
  }
  return 'agrees';
};

const pin = (request: Request, found: FoundAccess): readonly Outcome[] => {
  const { world } = request;
  const fields = decode(ACCESS_PAGES, request.bytes);
  const before = stateOf(world, found.iommufd);
  const iova =
    (fields.flags & MOCK_FLAGS_ACCESS_SYZ) !== 0 && found.access.ioas !== undefined
      ? nthAreaIova(tableOf(before.context, found.access.ioas).areas, fields.iova)
      : fields.iova;
  const range = rangeOfAccess(found.access, iova, fields.length);
  if (isRefused(range)) return [failedBy(range, world)];
  const writing = (fields.flags & MOCK_FLAGS_ACCESS_WRITE) !== 0;
  const pinned = pinAccess(before, range.ioas, iova, range.last, writing);
  if (isRefused(pinned)) return [failedBy(pinned, world)];
  const compared: Comparison =
    fields.uptr === 0n
      ? 'agrees'
      : compareWithCaller(request, pinned, range.ioas, iova, range.last, fields.uptr);
  if (typeof compared !== 'string') return [failed(compared, world)];
  const { access } = found;
  const id = access.nextPin;
  const numbered = { ...access, nextPin: id + 1 };
  const after = {
    context: withObject(pinned.context, found.object, {
      ...numbered,
      pins: [...access.pins, { id, iova, length: fields.length }],
    }),
    memory: pinned.memory,
  };
  const answer = respond(request, ACCESS_PAGES, { out_access_pages_id: id });
  if (!answer.whole) {
    const context = withObject(before.context, found.object, numbered);
    return [
      failed(respondRules.replyFault, withState(world, { context, memory: before.memory }), [
        answer.write,
      ]),
    ];
  }
  const reply = succeeded(testAccessPagesRules.pins, withState(world, after), [answer.write]);
  if (compared === 'agrees') return [reply];
  const unknown = 'the recording does not say what memory was at the address then';
  return [
    { ...reply, unknown },
    { ...failed(testAccessPagesRules.differs, world), unknown },
  ];
};

export const accessPages: Handler = (request): readonly Outcome[] => {
  const { world, call } = request;
  const { id, flags, length } = decode(ACCESS_PAGES, request.bytes);
  if (length > ACCESS_LENGTH_MAX) return [failed(testAccessPagesRules.tooLong, world)];
  if ((flags & ~(MOCK_FLAGS_ACCESS_WRITE | MOCK_FLAGS_ACCESS_SYZ)) !== 0) {
    return [failed(testAccessPagesRules.unknownFlags, world)];
  }
  const found = accessOfDescriptor(world, call.process, fileDescriptor(id | 0));
  if (found === undefined) return [failed(testAccessDescriptorRules.notAnAccess, world)];
  if (!found.access.needsPins) return [failed(testAccessPagesRules.cannotPin, world)];
  return pin(request, found);
};

export const destroyAccessPages: Handler = (request) => {
  const { world, call } = request;
  const { id, access_pages_id: number } = decode(DESTROY_ACCESS_PAGES, request.bytes);
  const found = accessOfDescriptor(world, call.process, fileDescriptor(id | 0));
  if (found === undefined) return [failed(testAccessDescriptorRules.notAnAccess, world)];
  const gone = found.access.pins.find((candidate) => candidate.id === number);
  if (gone === undefined) return [failed(testDestroyAccessPagesRules.noPin, world)];
  const state = stateOf(world, found.iommufd);
  const others = found.access.pins.filter((candidate) => candidate !== gone);
  // Only this pin is removed, even if others overlap it.
  const alone = withObject(state.context, found.object, { ...found.access, pins: [gone] });
  const released = withoutPinsIn(
    { context: alone, memory: state.memory },
    found.object,
    gone.iova,
    gone.iova + gone.length - 1n,
  );
  const access = accessAt(released.context, found.object);
  if (access === undefined) throw new Error(`Access ${found.object} is gone with its pin.`);
  const context = withObject(released.context, found.object, { ...access, pins: others });
  return [
    succeeded(
      testDestroyAccessPagesRules.unpins,
      withState(world, { context, memory: released.memory }),
    ),
  ];
};
