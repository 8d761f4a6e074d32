// Looks at hidden state, as operations: what mock domains translate and what they do not, and how often each page of the
// program's memory is pinned. A real kernel shows its hidden state by them, and they are judged as any other call.

import { TEST_OPERATIONS } from '../../spec/abi/test.ts';
import type { ObjectId } from '../../spec/abi/units.ts';
import { PAGE_SIZE, PAGE_SIZE_BYTES } from '../../spec/abi/units.ts';
import { each } from '../../spec/collections/ordered-map.ts';
import { MOCK_IOMMU } from '../../spec/hardware/templates.ts';
import { translations } from '../../spec/hardware/translate.ts';
import { type Context, tableOf } from '../../spec/iommufd/context.ts';
import { frameAt } from '../../spec/selftest/frames.ts';
import { pinsOf } from '../../spec/selftest/md-check-refs.ts';
import type { World } from '../../spec/world.ts';
import { ARENA_BASE, DATA_LENGTH, DATA_OFFSET, STRUCT_OFFSET } from './arena.ts';
import { Draft } from './draft.ts';
import { type IommufdDescriptor, Scene } from './draw/scene.ts';
import type { Operation, Program, Value } from './program.ts';
import { PROCESS } from './run.ts';

const TEST_COMMAND = 0x3ba0;
const numberOf = (name: string): bigint =>
  BigInt(TEST_OPERATIONS.find((operation) => operation.name === name)?.op ?? 0);

const probe = (
  label: string,
  fd: Value,
  layout: 'MD_CHECK_MAP' | 'MD_CHECK_REFS',
  fields: Readonly<Record<string, Value>>,
): Operation => ({
  op: 'ioctl',
  label,
  fd,
  command: TEST_COMMAND,
  argument: {
    kind: 'struct',
    at: { arena: STRUCT_OFFSET },
    layout,
    fields: { size: 72n, op: numberOf(layout), ...fields },
  },
});

/** Stretches of a domain that one look can take in, and no more of them than this. */
const MOST = 12;

type Look = { readonly iova: bigint; readonly length: bigint; readonly address: bigint };

/** What a domain translates to memory that still stands in the data region, as few stretches as can be. */
const looksAt = (world: World, context: Context, hwpt: ObjectId): readonly Look[] => {
  const resident = new Map<string, bigint>();
  for (let offset = 0n; offset < DATA_LENGTH; offset += PAGE_SIZE_BYTES) {
    const address = ARENA_BASE + DATA_OFFSET + offset;
    const looked = frameAt(world.memory, PROCESS, address);
    if (looked.kind === 'frame') {
      resident.set(`${looked.frame.backing}:${looked.frame.page}`, address);
    }
  }
  const looks: Look[] = [];
  for (const { iova, length, backing, page, offset } of translations(context, hwpt)) {
    const at = resident.get(`${backing}:${page}`);
    if (at === undefined) continue;
    const address = at + BigInt(offset);
    const before = looks.at(-1);
    if (
      before !== undefined &&
      before.iova + before.length === iova &&
      before.address + before.length === address
    ) {
      looks[looks.length - 1] = { ...before, length: before.length + BigInt(length) };
    } else if (looks.length < MOST) {
      looks.push({ iova, length: BigInt(length), address });
    }
  }
  return looks;
};

const probesOfDomain = (
  world: World,
  { context, value: fd }: IommufdDescriptor,
  hwpt: ObjectId,
  ioas: ObjectId,
): readonly Operation[] => {
  const probes = looksAt(world, context, hwpt).map(({ iova, length, address }) =>
    probe('', fd, 'MD_CHECK_MAP', {
      id: BigInt(hwpt),
      iova,
      length,
      uptr: { arena: address - ARENA_BASE },
    }),
  );
  // Behind each area, and where nothing was ever mapped, nothing may be translated.
  const ends: bigint[] = [];
  each(tableOf(context, ioas).areas, (_, { last }) => ends.push(last + 1n));
  for (const end of [...ends.slice(0, MOST), 0x100_0000n]) {
    const iova = end - (end % 2048n);
    probes.push(
      probe('', fd, 'MD_CHECK_MAP', {
        id: BigInt(hwpt),
        iova,
        length: 2048n,
        uptr: { arena: DATA_OFFSET },
      }),
    );
  }
  return probes;
};

/** How often each page of the data region is pinned, pages with the same count in one look. */
const probesOfPins = (world: World, fd: Value): readonly Operation[] => {
  const probes: Operation[] = [];
  let start = 0n;
  let refs = -1;
  const finish = (end: bigint): void => {
    if (refs < 0 || end === start) return;
    probes.push(
      probe('', fd, 'MD_CHECK_REFS', {
        length: end - start,
        uptr: { arena: DATA_OFFSET + start },
        refs: BigInt(refs),
      }),
    );
  };
  for (let offset = 0n; offset < DATA_LENGTH; offset += BigInt(PAGE_SIZE)) {
    const looked = frameAt(world.memory, PROCESS, ARENA_BASE + DATA_OFFSET + offset);
    const count = looked.kind === 'frame' ? pinsOf(world, looked.frame) : -1;
    if (count !== refs) {
      finish(offset);
      start = offset;
      refs = count;
    }
  }
  finish(DATA_LENGTH);
  return probes;
};

/** The program with looks at what is hidden behind its last operation, judged as the world then is. */
export const withProbes = (start: World, program: Program): Program => {
  if (!start.setting.platform.testCommands) return program;
  const draft = new Draft(start);
  for (const operation of program) draft.add(operation);
  const scene = new Scene(undefined, draft);
  scene.remember();
  const probes: Operation[] = [];
  const [known] = scene.iommufds();
  for (const on of scene.iommufds()) {
    if (on.context.forgotten !== undefined) continue;
    each(on.context.objects, (id, object) => {
      if (object.kind !== 'hwpt' || object.domain.iommu !== MOCK_IOMMU) return;
      probes.push(...probesOfDomain(draft.world, on, id, object.ioas));
    });
  }
  // Pins of a legacy container show only through an iommufd, which has no other part in the program then.
  const opened: Operation = { op: 'open', label: 'probed', path: '/dev/iommu' };
  const needsOne = known === undefined && scene.containers().length > 0;
  const first = needsOne ? { from: opened.label, out: 'result' } : known?.value;
  if (first !== undefined) probes.push(...probesOfPins(draft.world, first));
  return [
    ...program,
    ...(needsOne ? [opened] : []),
    ...probes.map((operation, index) => ({ ...operation, label: `probe${index + 1}` })),
  ];
};
