// SPDX-License-Identifier: MIT
// A program as a syzkaller program: calls by syzkaller's descriptions, behind those that make its memory like the arena.

import { ARENA_LENGTH } from '../../model/programs/arena.ts';
import type { Operation, Program } from '../../model/programs/program.ts';
import type { Protection } from '../../spec/terms/call.ts';
import { visible } from '../text/visible.ts';
import { AREA_LENGTH } from './data-area.ts';
import { changedRuns, STATE_IN_AREA, stateInArena } from './first-memory.ts';
import { Relocation } from './relocation.ts';
import { type Span, spansOf } from './spans.ts';
import { IoctlText } from './write-ioctl.ts';
import { address, number, RefusedSyz, ResultNames } from './write-values.ts';
import { WrittenPages } from './written-pages.ts';

/** An operation that no syzkaller program can make. */
export class RefusedOperation extends Error {
  override readonly name = 'RefusedOperation';
  readonly operation: Operation;
  readonly why: string;

  constructor(operation: Operation, why: string) {
    super(`Operation ${operation.label} is not written for syzkaller: ${why}`);
    this.operation = operation;
    this.why = why;
  }
}

const OPENS: Readonly<Record<string, string>> = {
  '/dev/iommu': 'openat$iommufd',
  '/dev/vfio/vfio': 'openat$vfio',
};

/** Where names of files are put: in the last pages, which no operation names. */
const NAMES = number(0x7f00_0000_0000n + AREA_LENGTH - 0x1000n);

const PROTECTIONS: Readonly<Record<Protection, string>> = {
  none: '0x0',
  read: '0x1',
  'read-write': '0x3',
};

const NO_FILE = '0xffffffffffffffff';

type Mmap = Extract<Operation, { op: 'mmap' }>;

const BACKING_FLAGS = { anonymous: 0x20n, huge: 0x4_0020n, memfd: 0n } as const;

const memoryText = ({ offset, length }: Span): string => {
  if (length === 0n || offset + length > AREA_LENGTH) {
    throw new RefusedSyz('a syzkaller program changes whole pages of its 16 MiB.');
  }
  return `&(${address(offset)}/${number(length)})=nil, ${number(length)}`;
};

const changedText = (operation: Span): string => {
  if (operation.offset >= 0n && operation.offset + operation.length <= ARENA_LENGTH) {
    return memoryText(operation);
  }
  throw new RefusedSyz("the memory is not a program's own.");
};

class ProgramText {
  readonly lines: string[] = [];
  readonly #names: ResultNames;
  readonly #ioctls: IoctlText;
  readonly #pages = new WrittenPages();

  constructor(program: Program) {
    this.#names = new ResultNames(program);
    this.#ioctls = new IoctlText(this.#names);
  }

  /** Throws RefusedOperation. */
  add(operation: Operation): void {
    try {
      this.#pages.requireWritable(operation);
      this.lines.push(...this.#linesOf(operation));
    } catch (error) {
      if (!(error instanceof RefusedSyz)) throw error;
      throw new RefusedOperation(operation, error.message);
    }
    this.#pages.passed(operation);
    this.#names.passed(operation);
  }

  #linesOf(operation: Operation): readonly string[] {
    switch (operation.op) {
      case 'open': {
        const name = Object.hasOwn(OPENS, operation.path) ? OPENS[operation.path] : undefined;
        if (name === undefined) {
          throw new RefusedSyz(
            `syzkaller opens /dev/iommu and /dev/vfio/vfio, not ${operation.path}.`,
          );
        }
        const path = `&(${NAMES})='${operation.path}\\x00'`;
        return [`${this.#given(operation)}${name}(0xffffffffffffff9c, ${path}, 0x2, 0x0)`];
      }
      case 'close':
        return [`close(${this.#names.text(operation.fd)})`];
      case 'ioctl':
        return this.#ioctls.lines(operation);
      case 'memfd': {
        const name = this.#names.give(operation.label, 'result');
        return [
          `${name} = memfd_create(&(${NAMES})='memory\\x00', 0x0)`,
          ...(operation.length === 0n ? [] : [`ftruncate(${name}, ${number(operation.length)})`]),
        ];
      }
      case 'mmap':
        return [this.#map(operation)];
      case 'munmap':
        return [`munmap(${changedText(operation)})`];
      case 'store': {
        const length = number(BigInt(operation.hex.length >> 1));
        const to = `&(${address(operation.offset)})="${operation.hex}"`;
        return [`write(${NO_FILE}, ${to}, ${length})`];
      }
      case 'dma':
        throw new RefusedSyz('syzkaller has no call with which a device transfers memory.');
      case 'status':
        throw new RefusedSyz('syzkaller reads no line of /proc/self/status.');
    }
  }

  #given({ label }: Operation): string {
    return this.#names.isUsed(label, 'result') ? `${this.#names.give(label, 'result')} = ` : '';
  }

  #map(operation: Mmap): string {
    const { backing, protection, shared } = operation;
    if (backing.kind === 'device') throw new RefusedSyz("syzkaller maps no device's BAR.");
    const flags = 0x10n | (shared ? 1n : 2n) | BACKING_FLAGS[backing.kind];
    const file =
      backing.kind === 'memfd'
        ? `${this.#names.text(backing.fd)}, ${number(backing.offset)}`
        : `${NO_FILE}, 0x0`;
    return `mmap(${changedText(operation)}, ${PROTECTIONS[protection]}, ${number(flags)}, ${file})`;
  }
}

const spansWith = (operation: Operation): readonly Span[] =>
  operation.op === 'mmap' || operation.op === 'munmap' ? [operation] : [...spansOf(operation)];

/** The calls after which the memory that the program names is as in the arena. */
const memoryLines = (program: Program): readonly string[] => {
  const spans = program.flatMap(spansWith);
  const isBeyond = spans.some(({ offset, length }) => offset + length > ARENA_LENGTH);
  const beyond = { offset: ARENA_LENGTH, length: AREA_LENGTH - ARENA_LENGTH };
  const { used } = new Relocation(spans, isBeyond ? ARENA_LENGTH : AREA_LENGTH);
  const runs = changedRuns(used, stateInArena, () => STATE_IN_AREA);
  const lines = runs.map(({ start, end, state }) => {
    const memory = memoryText({ offset: start, length: end - start });
    if (state === 'hole') return `munmap(${memory})`;
    const flags = state.shared ? '0x31' : '0x32';
    return `mmap(${memory}, ${PROTECTIONS[state.protection]}, ${flags}, ${NO_FILE}, 0x0)`;
  });
  return [...(isBeyond ? [`munmap(${memoryText(beyond)})`] : []), ...lines];
};

/** The text of the program; `says` are comments at its head. Throws RefusedOperation. */
export const syzText = (program: Program, says: readonly string[]): string => {
  const text = new ProgramText(program);
  for (const operation of program) text.add(operation);
  const comments = says.map((line) => `# ${visible(line)}`.trimEnd());
  return [...comments, ...memoryLines(program), ...text.lines, ''].join('\n');
};
