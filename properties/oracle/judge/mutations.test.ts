// SPDX-License-Identifier: MIT
// Bad recordings: recordings with one change each, by hand and at random. The judge rejects each at
// the changed call, and accepts everything before it.

import { join } from 'node:path';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeRecorded } from '../../../oracle/judge/session.ts';
import { fieldOf, type Layout } from '../../../spec/abi/layout.ts';
import * as abi from '../../../spec/abi/native.ts';
import * as testAbi from '../../../spec/abi/test.ts';
import * as vfioAbi from '../../../spec/abi/vfio.ts';
import { MUTATIONS } from '../../harness/recording-mutations.ts';
import {
  FACTS_OF_FIXTURES,
  FIXTURES,
  isCovered,
  type JudgedLine,
  judgeLines,
  readLines,
  recordingsIn,
} from '../../harness/recordings.ts';

const mutations = suite('bad recordings');

for (const { says, file, change } of MUTATIONS) {
  mutations(says, async () => {
    const lines = await readLines(join(FIXTURES, file));
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const changed = parsed.findIndex((line) => change(line));
    assert.ok(changed > 0, 'no call of the recording is like that');
    const judged = [
      ...judgeLines(
        file,
        parsed.map((line) => JSON.stringify(line)),
        FACTS_OF_FIXTURES,
      ),
    ];
    assert.equal(
      judged.filter(({ verdict }) => verdict.kind === 'violation').map(({ line }) => line),
      [changed + 1],
    );
  });
}

/** A call that conforms, with the world before it. */
type Conforming = JudgedLine & { readonly file: string };

const conforming = async (): Promise<readonly Conforming[]> => {
  const found: Conforming[] = [];
  for (const file of recordingsIn(FIXTURES).filter(isCovered)) {
    for (const judged of judgeLines(
      file,
      await readLines(join(FIXTURES, file)),
      FACTS_OF_FIXTURES,
    )) {
      const { kind } = judged.recorded.call;
      if (kind === 'ioctl' && judged.verdict.kind === 'conforms') found.push({ ...judged, file });
    }
  }
  return found;
};

const verdictOn = (
  { file, before, recorded }: Conforming,
  observation: typeof recorded.observation,
) => judgeRecorded(file, before, { ...recorded, observation }).kind;

const SAMPLE = 1200;
const SEED = 17;

const inSample = async (check: (call: Conforming, pick: number) => void): Promise<void> => {
  const all = await conforming();
  fc.assert(
    fc.property(fc.nat(all.length - 1), fc.nat(1_000_000), (index, pick) =>
      check(all[index] as Conforming, pick),
    ),
    { seed: SEED, numRuns: SAMPLE },
  );
};

const OTHER_ERRORS = [1, 2, 5, 7, 12, 14, 16, 17, 19, 22, 25, 28, 75, 90, 95, 98];

mutations('another errno than the recorded one is rejected', () =>
  inSample((call, pick) => {
    const { observation } = call.recorded;
    const others = OTHER_ERRORS.filter((errno) => errno !== observation.errno);
    const errno = others[pick % others.length] as number;
    assert.is(verdictOn(call, { ...observation, result: -1, errno }), 'violation', call.text);
  }),
);

mutations('success instead of an error is rejected', () =>
  inSample((call) => {
    const { observation } = call.recorded;
    if (observation.errno === 0) return;
    assert.is(verdictOn(call, { ...observation, result: 0, errno: 0 }), 'violation', call.text);
  }),
);

/** Fields that the kernel is free to choose. */
type Free = {
  readonly command: number;
  readonly operation?: number;
  readonly layout: Layout;
  readonly fields: readonly string[];
};

const COMMANDS = new Map(abi.NATIVE_CALLS.map(({ name, command }) => [name, command]));
const commandOf = (name: abi.NativeCallName): number => COMMANDS.get(name) as number;
const TEST = commandOf('IOMMU_TEST_CMD');

const FREE: readonly Free[] = [
  { command: commandOf('IOMMU_IOAS_ALLOC'), layout: abi.IOMMU_IOAS_ALLOC, fields: ['out_ioas_id'] },
  { command: commandOf('IOMMU_HWPT_ALLOC'), layout: abi.IOMMU_HWPT_ALLOC, fields: ['out_hwpt_id'] },
  { command: commandOf('IOMMU_IOAS_MAP'), layout: abi.IOMMU_IOAS_MAP, fields: ['iova'] },
  { command: commandOf('IOMMU_IOAS_MAP_FILE'), layout: abi.IOMMU_IOAS_MAP_FILE, fields: ['iova'] },
  { command: commandOf('IOMMU_IOAS_COPY'), layout: abi.IOMMU_IOAS_COPY, fields: ['dst_iova'] },
  {
    command: TEST,
    operation: 2,
    layout: testAbi.MOCK_DOMAIN,
    fields: ['out_stdev_id', 'out_hwpt_id', 'out_idev_id'],
  },
  {
    command: TEST,
    operation: 12,
    layout: testAbi.MOCK_DOMAIN_FLAGS,
    fields: ['out_stdev_id', 'out_hwpt_id', 'out_idev_id'],
  },
  { command: TEST, operation: 10, layout: testAbi.MOCK_DOMAIN_REPLACE, fields: ['pt_id'] },
  {
    command: vfioAbi.VFIO_DEVICE_BIND_IOMMUFD,
    layout: vfioAbi.VFIO_DEVICE_BIND,
    fields: ['out_devid'],
  },
  {
    command: vfioAbi.VFIO_DEVICE_ATTACH_IOMMUFD_PT,
    layout: vfioAbi.VFIO_DEVICE_ATTACH,
    fields: ['pt_id'],
  },
  { command: TEST, operation: 5, layout: testAbi.CREATE_ACCESS, fields: ['out_access_fd'] },
];

/** Offsets of the memory contents that a recording cannot show. */
const ACCESS_RW = 8;

const isFree = ({ recorded: { call } }: Conforming, segment: number, byte: number): boolean => {
  if (call.kind !== 'ioctl') return false;
  const struct = call.memory[0]?.bytes;
  const operation = call.command === TEST ? struct?.[4] : undefined;
  if (segment > 0) return operation === ACCESS_RW;
  return FREE.some(
    (free) =>
      free.command === call.command &&
      (free.operation === undefined || free.operation === operation) &&
      free.fields.some((name) => {
        const { offset, width } = fieldOf(free.layout, name);
        return byte >= offset && byte < offset + width;
      }),
  );
};

mutations('another byte in memory is rejected, unless the kernel may choose it', () =>
  inSample((call, pick) => {
    const { observation } = call.recorded;
    const segment = pick % Math.max(1, observation.memory.length);
    const looked = observation.memory[segment];
    if (looked === undefined || looked.bytes.length === 0) return;
    const at = (pick >> 2) % looked.bytes.length;
    if (isFree(call, segment, at)) return;
    const bytes = new Uint8Array(looked.bytes);
    bytes[at] = (bytes[at] as number) ^ (1 << (pick % 8));
    const memory = observation.memory.with(segment, { ...looked, bytes });
    assert.is(
      verdictOn(call, { ...observation, memory }),
      'violation',
      `byte ${at} of ${call.text}`,
    );
  }),
);

mutations('another result where the call succeeded is rejected', () =>
  inSample((call, pick) => {
    const { observation } = call.recorded;
    if (observation.errno !== 0) return;
    const result = observation.result + 1 + (pick % 5);
    assert.is(verdictOn(call, { ...observation, result }), 'violation', call.text);
  }),
);

mutations.run();
