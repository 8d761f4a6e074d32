// SPDX-License-Identifier: MIT
// The same commands by fast-check's own modelRun, with a plain object as the model: what people would use who had no
// specification. IOAS_ALLOC, IOAS_MAP and IOAS_UNMAP on the emulator; the model is a list of ranges and knows errnos only.

import * as fc from 'fast-check';
import { EmulatedMachine } from '../../model/emulator/machine.ts';
import { ARENA_BASE, DATA_OFFSET, mapArena } from '../../model/programs/arena.ts';
import type { Program } from '../../model/programs/program.ts';
import { judgeProgram } from '../../oracle/check/judge-program.ts';
import { encode, type Layout } from '../../spec/abi/layout.ts';
import { IOMMU_IOAS_ALLOC, IOMMU_IOAS_MAP, IOMMU_IOAS_UNMAP } from '../../spec/abi/native.ts';
import { settingOf } from '../helpers/settings.ts';
import { type Measured, median, seconds } from './measured.ts';

const PAGE = 4096n;
const LOW = 0x100_0000n;
const FD = 3;
const FLAGS = 7n;
const IOAS_ALLOC = 0x3b81;
const IOAS_MAP = 0x3b85;
const IOAS_UNMAP = 0x3b86;

type Range = { readonly iova: bigint; readonly length: bigint };

type Model = { ranges: Range[] };

const overlaps = (a: Range, b: Range): boolean =>
  a.iova < b.iova + b.length && b.iova < a.iova + a.length;

const holds = (a: Range, b: Range): boolean =>
  a.iova <= b.iova && b.iova + b.length <= a.iova + a.length;

const ioctl = (
  machine: EmulatedMachine,
  command: number,
  layout: Layout,
  fields: Readonly<Record<string, bigint>>,
): number => {
  machine.store(ARENA_BASE, encode(layout, { size: BigInt(layout.size), ...fields }));
  return machine.ioctl(FD, command, ARENA_BASE);
};

let calls = 0;

const agrees = (expected: number, observed: number): void => {
  calls += 1;
  if (expected !== observed) throw new Error(`${observed} in place of ${expected}`);
};

type MapCommand = Range & { readonly kind: 'map' };
type UnmapCommand = Range & { readonly kind: 'unmap' };
type Generated = MapCommand | UnmapCommand;

const EEXIST = 17;
const ENOENT = 2;

class Command implements fc.Command<Model, EmulatedMachine> {
  readonly #generated: Generated;

  constructor(generated: Generated) {
    this.#generated = generated;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, machine: EmulatedMachine): void {
    const generated = this.#generated;
    const { iova, length } = generated;
    if (generated.kind === 'map') {
      const taken = model.ranges.some((range) => overlaps(range, generated));
      const fields = { flags: FLAGS, ioas_id: 1n, user_va: ARENA_BASE + DATA_OFFSET, length, iova };
      agrees(taken ? -EEXIST : 0, ioctl(machine, IOAS_MAP, IOMMU_IOAS_MAP, fields));
      if (!taken) model.ranges.push({ iova, length });
      return;
    }
    const met = model.ranges.filter((range) => overlaps(range, generated));
    const fields = { ioas_id: 1n, iova, length };
    // Whole areas go from the lowest on, up to the first that the range cuts.
    const sorted = met.sort((a, b) => (a.iova < b.iova ? -1 : 1));
    const cut = sorted.findIndex((range) => !holds(generated, range));
    const gone = cut < 0 ? sorted : sorted.slice(0, cut);
    const expected = cut >= 0 || met.length === 0 ? -ENOENT : 0;
    agrees(expected, ioctl(machine, IOAS_UNMAP, IOMMU_IOAS_UNMAP, fields));
    model.ranges = model.ranges.filter((range) => !gone.includes(range));
  }

  toString(): string {
    return this.#generated.kind;
  }
}

const SETTING = settingOf('mock');
const MOST = 40;

const range = fc.record({
  iova: fc.integer({ min: 0, max: 24 }).map((page) => LOW + BigInt(page) * PAGE),
  length: fc.integer({ min: 1, max: 6 }).map((pages) => BigInt(pages) * PAGE),
});
const generated: fc.Arbitrary<Generated> = fc.oneof(
  range.map((one) => ({ kind: 'map', ...one }) as const),
  range.map((one) => ({ kind: 'unmap', ...one }) as const),
);

const started = (): EmulatedMachine => {
  const machine = new EmulatedMachine(SETTING);
  mapArena(machine, ARENA_BASE);
  machine.open('/dev/iommu');
  ioctl(machine, IOAS_ALLOC, IOMMU_IOAS_ALLOC, {});
  return machine;
};

const byModelRun = (runs: number, seed: number): void => {
  const property = fc.property(
    fc.commands([generated.map((one) => new Command(one))], { maxCommands: MOST, size: 'max' }),
    (commands) => fc.modelRun(() => ({ model: { ranges: [] }, real: started() }), commands),
  );
  fc.assert(property, { numRuns: runs, seed });
};

const programOf = (commands: readonly Generated[]): Program => {
  const fd = { from: 'iommufd', out: 'result' };
  const struct = (layout: string, fields: Readonly<Record<string, bigint | typeof fd>>) => ({
    kind: 'struct' as const,
    at: { arena: 0n },
    layout,
    fields,
  });
  const ioas_id = { from: 'ioas', out: 'out_ioas_id' };
  return [
    { op: 'open', label: 'iommufd', path: '/dev/iommu' },
    {
      op: 'ioctl',
      label: 'ioas',
      fd,
      command: IOAS_ALLOC,
      argument: struct('IOMMU_IOAS_ALLOC', { size: 12n }),
    },
    ...commands.map(({ kind, iova, length }, index) => ({
      op: 'ioctl' as const,
      label: `${kind}${index}`,
      fd,
      command: kind === 'map' ? IOAS_MAP : IOAS_UNMAP,
      argument:
        kind === 'map'
          ? struct('IOMMU_IOAS_MAP', {
              size: 40n,
              flags: FLAGS,
              ioas_id,
              user_va: ARENA_BASE + DATA_OFFSET,
              length,
              iova,
            })
          : struct('IOMMU_IOAS_UNMAP', { size: 24n, ioas_id, iova, length }),
    })),
  ];
};

/** The same commands, judged by the specification: replies, every byte, and the hidden state. */
const byCheck = (runs: number, seed: number): void => {
  const property = fc.property(
    fc.array(generated, { maxLength: MOST, size: 'max' }),
    (commands) => {
      const { steps, failure } = judgeProgram(SETTING, programOf(commands));
      calls += steps.length;
      return failure === undefined;
    },
  );
  fc.assert(property, { numRuns: runs, seed });
};

const RUNS = 1500;
const ROUNDS = 5;

const speedOf = async (work: (runs: number, seed: number) => void, round: number) => {
  calls = 0;
  const time = await seconds(async () => work(RUNS, round));
  return calls / time;
};

export const modelRunSpeed = async (): Promise<readonly Measured[]> => {
  const mine: number[] = [];
  const theirs: number[] = [];
  byModelRun(RUNS, 99);
  byCheck(RUNS, 99);
  for (let round = 0; round < ROUNDS; round += 1) {
    theirs.push(await speedOf(byModelRun, round));
    mine.push(await speedOf(byCheck, round));
  }
  const ratios = mine.map((speed, index) => speed / (theirs[index] ?? Number.NaN));
  const note = `maps and unmaps, ${RUNS} programs, in turn, median of ${ROUNDS}`;
  return [
    { what: 'the same commands, modelRun', value: median(theirs), unit: 'calls/s', note },
    { what: 'the same commands, judged', value: median(mine), unit: 'calls/s', note },
    { what: 'judged to modelRun', value: median(ratios), unit: 'times', note: 'pair by pair' },
  ];
};
