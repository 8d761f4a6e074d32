// SPDX-License-Identifier: MIT
// Adds transfers by devices to a program: they show what a real IOMMU translates. Each page that a
// device may access is accessed once while it is mapped, so that the IOTLB has it, and again after
// it is unmapped.

import type { Translated } from '../../spec/hardware/translate.ts';
import { frameAt } from '../../spec/selftest/frames.ts';
import type { World } from '../../spec/state/world.ts';
import type { DmaDirection } from '../../spec/terms/call.ts';
import { GenContext } from '../generate/gen-context.ts';
import {
  ARENA_BASE,
  DATA_LENGTH,
  DATA_OFFSET,
  READ_ONLY_LENGTH,
  READ_ONLY_OFFSET,
  SHARED_LENGTH,
  SHARED_OFFSET,
} from '../programs/arena.ts';
import { ProgramBuilder } from '../programs/builder.ts';
import type { Program } from '../programs/program.ts';
import { PROCESS } from '../programs/run.ts';
import { type Engine, enginesOf } from './transfer-engines.ts';

const PAGE = 4096n;
/** Bytes of most transfers; those across the end of an area are twice as long. */
const WORD = 8;
/** So many transfers are kept for the end of the program. */
const AT_END = 4;
/** The engine does no DMA from here on: interrupts begin. */
const INTERRUPTS_START = 0xfee0_0000n;
const INTERRUPTS_END = 0xfef0_0000n;
const REACH = 1n << 48n;

/** An IOVA that a device accessed, or may access, and its memory. */
type Point = { readonly engine: string; readonly iova: bigint; readonly to: Translated };

const REGIONS_READ = [
  [DATA_OFFSET, DATA_LENGTH],
  [SHARED_OFFSET, SHARED_LENGTH],
  [READ_ONLY_OFFSET, READ_ONLY_LENGTH],
] as const;

const sameMemory = (a: Translated, b: Translated | undefined): boolean =>
  b !== undefined &&
  a.backing === b.backing &&
  a.page === b.page &&
  a.offset === b.offset &&
  a.readable === b.readable &&
  a.writable === b.writable;

const isReachable = (iova: bigint): boolean =>
  iova >= 0n && iova + PAGE <= REACH && (iova + PAGE <= INTERRUPTS_START || iova >= INTERRUPTS_END);

class Transfers {
  readonly builder: ProgramBuilder;
  readonly #gen: GenContext;
  readonly #reached: Point[] = [];
  #left: number;
  #count = 0;

  constructor(start: World, most: number) {
    this.builder = new ProgramBuilder(start);
    this.#gen = new GenContext(this.builder);
    this.#left = most;
  }

  follow(operation: Program[number]): void {
    this.#gen.add(operation);
    if (this.#left <= AT_END) return;
    for (const engine of this.#engines()) {
      this.#tryGone(engine);
      for (const point of this.#points(engine)) {
        if (this.#left <= AT_END) return;
        if (
          this.#reached.some(
            ({ iova, engine: name }) => name === engine.name && iova === point.iova,
          )
        )
          continue;
        this.#touch(engine, point);
      }
    }
  }

  finish(): void {
    for (const engine of this.#engines()) this.#finishWith(engine);
  }

  #engines(): readonly Engine[] {
    return enginesOf(this.#gen);
  }

  /** The first bytes of each area, and the last. */
  #points({ name, leads, mapped }: Engine): readonly Point[] {
    const points: Point[] = [];
    for (const [first, last] of mapped) {
      for (const iova of new Set([first, last + 1n - BigInt(WORD)])) {
        const to = isReachable(iova) ? leads(iova) : undefined;
        if (to !== undefined) points.push({ engine: name, iova, to });
      }
    }
    return points;
  }

  /** The memory's address in the program, as an arena offset. */
  #arenaOffset({ backing, page, offset }: Translated): bigint | undefined {
    for (const [start, length] of REGIONS_READ) {
      for (let at = start; at < start + length; at += PAGE) {
        const found = frameAt(this.builder.world.memory, PROCESS, ARENA_BASE + at);
        if (found.kind !== 'frame') continue;
        if (found.frame.backing === backing && found.frame.page === page) {
          return at + BigInt(offset);
        }
      }
    }
    return undefined;
  }

  #transfer(
    { fd }: Engine,
    direction: DmaDirection,
    iova: bigint,
    look?: bigint,
    length = WORD,
  ): void {
    if (this.#left <= 0) return;
    this.#left -= 1;
    this.#count += 1;
    const probes = look === undefined || direction === 'read' ? {} : { look };
    this.#gen.add({
      op: 'dma',
      label: `transfer${this.#count}`,
      fd,
      direction,
      iova,
      length,
      ...probes,
    });
  }

  /** Puts unique bytes where the device reads next. */
  #put(point: Point): void {
    const offset = this.#arenaOffset(point.to);
    if (offset === undefined) return;
    this.#count += 1;
    const hex = this.#count
      .toString(16)
      .padStart(2, '0')
      .repeat(2 * WORD);
    this.#gen.add({ op: 'store', label: `put${this.#count}`, offset, hex });
  }

  #hasRead({ name }: Engine): boolean {
    return (this.builder.world.engines.buffers.get(name)?.length ?? 0) >= 2 * WORD;
  }

  #touch(engine: Engine, point: Point): void {
    if (point.to.readable || !this.#hasRead(engine)) {
      this.#put(point);
      this.#transfer(engine, 'read', point.iova, undefined, 2 * WORD);
    } else {
      this.#transfer(engine, 'write', point.iova, this.#arenaOffset(point.to));
    }
    this.#reached.push(point);
  }

  /** Accesses what is not mapped any more, or maps something else: a stale entry would show. */
  #tryGone(engine: Engine): void {
    for (const [index, point] of [...this.#reached.entries()].reverse()) {
      if (point.engine !== engine.name || this.#left <= AT_END) continue;
      if (sameMemory(point.to, engine.leads(point.iova))) continue;
      this.#reached.splice(index, 1);
      if (this.#hasRead(engine)) {
        // Otherwise the device may already have the same bytes.
        this.#put(point);
        this.#transfer(engine, 'write', point.iova, this.#arenaOffset(point.to));
      } else {
        this.#transfer(engine, 'read', point.iova, undefined, 2 * WORD);
      }
    }
  }

  #finishWith(engine: Engine): void {
    const points = this.#points(engine);
    const source = points.find(({ to }) => to.readable);
    const target = points.find(
      ({ to }) => to.writable && (source === undefined || !sameMemory(source.to, to)),
    );
    const readOnly = points.find(({ to }) => !to.writable);
    const writeOnly = points.find(({ to }) => !to.readable);
    if (source !== undefined) {
      this.#put(source);
      this.#transfer(engine, 'read', source.iova, undefined, 2 * WORD);
    }
    const hole = holeAfter(engine, points);
    if (!this.#hasRead(engine)) this.#transfer(engine, 'read', hole, undefined, 2 * WORD);
    if (readOnly !== undefined) {
      this.#transfer(engine, 'write', readOnly.iova, this.#arenaOffset(readOnly.to));
    }
    if (target !== undefined) {
      const offset = this.#arenaOffset(target.to);
      // Starts at the last bytes of an area, so that the rest is refused unless another area
      // follows.
      this.#transfer(engine, 'write', target.iova, offset, 2 * WORD);
      this.#transfer(engine, 'read', writeOnly?.iova ?? hole, undefined, 2 * WORD);
      this.#transfer(engine, 'write', target.iova, offset);
    }
    const last = points.at(-1);
    this.#transfer(
      engine,
      'write',
      hole,
      last === undefined ? DATA_OFFSET : this.#arenaOffset(last.to),
    );
  }
}

/** An IOVA at which nothing is mapped: after one of the areas, or one that never was. */
const holeAfter = ({ leads }: Engine, points: readonly Point[]): bigint => {
  const far = 0x7f_f000n;
  for (const { iova } of [...points].reverse()) {
    const next = (iova / PAGE + 1n) * PAGE;
    if (isReachable(next) && leads(next) === undefined) return next;
  }
  return far;
};

/** The program with at most so many transfers; unchanged if no open device can make one. */
export const withTransfers = (
  start: World,
  program: Program,
  most: number,
): ProgramBuilder | undefined => {
  const transfers = new Transfers(start, most);
  for (const operation of program) transfers.follow(operation);
  transfers.finish();
  return transfers.builder.operations.length > program.length ? transfers.builder : undefined;
};
