// SPDX-License-Identifier: MIT
// Probes of hidden state, as operations: what mock domains translate, how often each page of the
// program's memory is pinned, and what is charged. They show the hidden state of a real kernel, and
// are judged like any other call.

import { type ObjectId, PAGE_SIZE, PAGE_SIZE_BYTES } from '../../spec/abi/units.ts';
import { each } from '../../spec/collections/ordered-map.ts';
import { MOCK_IOMMU } from '../../spec/hardware/templates.ts';
import { translations } from '../../spec/hardware/translate.ts';
import { frameAt } from '../../spec/selftest/frames.ts';
import { pinsOf } from '../../spec/selftest/md-check-refs.ts';
import { type Context, pagesAt, tableOf } from '../../spec/state/context.ts';
import type { World } from '../../spec/state/world.ts';
import { GenContext, type IommufdDescriptor } from '../generate/gen-context.ts';
import { testCall } from '../generate/test-call.ts';
import { ARENA_BASE, DATA_LENGTH, DATA_OFFSET } from '../programs/arena.ts';
import { ProgramBuilder } from '../programs/builder.ts';
import type { Operation, Program, Value } from '../programs/program.ts';
import { PROCESS } from '../programs/run.ts';
import { leaveContainers, takeDown } from './end-probes.ts';
import { probeContainers, queryState, startAgain } from './query-probes.ts';
import { type ReportedArea, ReportedAreas } from './reported-areas.ts';
import { probeTables } from './table-probes.ts';

/** At most so many spans of a domain per probe. */
const MOST = 12;
const MOST_GONE = 6;

/** Of a mock domain. */
const LEAST_PAGE = 2048n;

type Probe = { readonly iova: bigint; readonly length: bigint; readonly address: bigint };

/**
 * What a domain translates to memory that is still in the data region, in as few spans as possible.
 */
const probesOf = (world: World, context: Context, hwpt: ObjectId): readonly Probe[] => {
  const resident = new Map<string, bigint>();
  for (let offset = 0n; offset < DATA_LENGTH; offset += PAGE_SIZE_BYTES) {
    const address = ARENA_BASE + DATA_OFFSET + offset;
    const found = frameAt(world.memory, PROCESS, address);
    if (found.kind === 'frame') {
      resident.set(`${found.frame.backing}:${found.frame.page}`, address);
    }
  }
  const probes: Probe[] = [];
  for (const { iova, length, backing, page, offset } of translations(context, hwpt)) {
    const at = resident.get(`${backing}:${page}`);
    if (at === undefined) continue;
    const address = at + BigInt(offset);
    const before = probes.at(-1);
    if (
      before !== undefined &&
      before.iova + before.length === iova &&
      before.address + before.length === address
    ) {
      probes[probes.length - 1] = { ...before, length: before.length + BigInt(length) };
    } else if (probes.length < MOST) {
      probes.push({ iova, length: BigInt(length), address });
    }
  }
  return probes;
};

const probesOfDomain = (
  world: World,
  { context, value: fd }: IommufdDescriptor,
  id: Value,
  hwpt: ObjectId,
  ioas: ObjectId,
  gone: readonly ReportedArea[],
): readonly Operation[] => {
  const probes = probesOf(world, context, hwpt).map(({ iova, length, address }) =>
    testCall('', fd, 'MD_CHECK_MAP', {
      id,
      iova,
      length,
      uptr: { arena: address - ARENA_BASE },
    }),
  );
  const nothingAt = (iova: bigint, address: bigint): void => {
    const at = iova - (iova % LEAST_PAGE);
    const uptr = { arena: address - (iova % LEAST_PAGE) - ARENA_BASE };
    probes.push(testCall('', fd, 'MD_CHECK_MAP', { id, iova: at, length: LEAST_PAGE, uptr }));
  };
  // Nothing may be translated after an area, as if it were longer, or in an unmapped area.
  let count = 0;
  each(tableOf(context, ioas).areas, (iova, { last, pages, startByte }) => {
    const { source } = pagesAt(context, pages);
    count += 1;
    if (count > MOST_GONE || source.kind !== 'user') return;
    nothingAt(last + 1n, source.start + startByte + (last + 1n - iova));
  });
  for (const { iova, last, address } of gone.slice(0, MOST_GONE)) {
    nothingAt(iova, address);
    if (last - iova >= PAGE_SIZE_BYTES) nothingAt(last, address + (last - iova));
  }
  return probes;
};

/** The pin count of each page of the data region; one probe for pages with the same count. */
const probesOfPins = (world: World, fd: Value): readonly Operation[] => {
  const probes: Operation[] = [];
  let start = 0n;
  let refs = -1;
  const finish = (end: bigint): void => {
    if (refs < 0 || end === start) return;
    probes.push(
      testCall('', fd, 'MD_CHECK_REFS', {
        length: end - start,
        uptr: { arena: DATA_OFFSET + start },
        refs: BigInt(refs),
      }),
    );
  };
  for (let offset = 0n; offset < DATA_LENGTH; offset += BigInt(PAGE_SIZE)) {
    const found = frameAt(world.memory, PROCESS, ARENA_BASE + DATA_OFFSET + offset);
    const count = found.kind === 'frame' ? pinsOf(world, found.frame) : -1;
    if (count !== refs) {
      finish(offset);
      start = offset;
      refs = count;
    }
  }
  finish(DATA_LENGTH);
  return probes;
};

/** Programs of at most so many operations are also probed between them. */
const SHORT = 16;

const statusProbes = (): readonly Operation[] => [
  { op: 'status', label: '', field: 'VmLck' },
  { op: 'status', label: '', field: 'VmPin' },
];

/** Reports the charges after each call that may have changed them. */
const withCharges = (program: Program): Program => {
  let count = 0;
  return program.flatMap((operation) => {
    if (operation.op !== 'ioctl' && operation.op !== 'close') return [operation];
    const probes = statusProbes().map((probe) => {
      count += 1;
      return { ...probe, label: `charge${count}` };
    });
    return [operation, ...probes];
  });
};

/**
 * The program with probes of hidden state after its last operation, judged in that world; if it is
 * short, also of the charges between its operations.
 */
export const withProbes = (start: World, program: Program): Program => {
  const builder = new ProgramBuilder(start);
  const seen = new ReportedAreas();
  for (const operation of program.length <= SHORT ? withCharges(program) : program) {
    builder.add(operation);
    seen.add(builder.world);
  }
  const gen = new GenContext(builder);
  gen.remember();
  const addAll = (probes: readonly Operation[]): void => {
    for (const probe of probes) gen.add({ ...probe, label: builder.label('probe') });
  };
  addAll(statusProbes());
  queryState(gen);
  const leave = (): void =>
    leaveContainers(gen, () => {
      startAgain(gen);
      probeContainers(gen);
    });
  if (!start.setting.platform.testCommands) {
    leave();
    return builder.operations;
  }
  const probeDomain = (
    on: IommufdDescriptor,
    name: Value,
    hwpt: ObjectId,
    ioas: ObjectId,
  ): void => {
    const gone = seen.gone(builder.world, on.context.file, ioas);
    addAll(probesOfDomain(builder.world, on, name, hwpt, ioas, gone));
  };
  // Pins of a legacy container show only through an iommufd, which the program does not use
  // otherwise.
  if (gen.iommufds().length === 0 && gen.containers().length > 0) {
    gen.add({ op: 'open', label: builder.label('probed'), path: '/dev/iommu' });
  }
  const probePins = (): void => {
    const [first] = gen.iommufds();
    if (first !== undefined)
      addAll([...probesOfPins(builder.world, first.value), ...statusProbes()]);
  };
  for (const on of gen.iommufds()) {
    if (on.context.untracked !== undefined) continue;
    each(on.context.objects, (id, object) => {
      if (object.kind !== 'hwpt' || object.domain.iommu !== MOCK_IOMMU) return;
      probeDomain(on, gen.named(on.context, id), id, object.ioas);
    });
  }
  probePins();
  probeTables(gen, probeDomain);
  takeDown(gen, () => {
    probePins();
    queryState(gen);
  });
  leave();
  return builder.operations;
};
