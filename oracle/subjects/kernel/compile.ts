// SPDX-License-Identifier: MIT
// Compiles programs for the runner: everything that is known in advance is resolved here, because
// JavaScript is slow in a virtual machine.

import { match } from 'ts-pattern';
import { ARENA_BASE } from '../../../model/programs/arena.ts';
import {
  type Argument,
  LAYOUTS,
  type Operation,
  type Program,
  type ResultOf,
  type Value,
} from '../../../model/programs/program.ts';
import { encode, fieldOf, type Layout } from '../../../spec/abi/layout.ts';
import * as wire from './wire.ts';

type Capture = { readonly slot: number; readonly offset: number; readonly width: number };
type Patch = { readonly position: number; readonly width: number; readonly slot: number };

const layoutNamed = (name: string): Layout => {
  const layout = LAYOUTS.get(name);
  if (layout === undefined)
    throw new Error(`No struct is called ${name}: the program is not of this version.`);
  return layout;
};

const WHOLE: Omit<Capture, 'slot'> = { offset: wire.WHOLE_RESULT, width: 4 };

/** The offset of an operation's named output; undefined if it has none. */
const placeOf = (operation: Operation, output: string): Omit<Capture, 'slot'> | undefined => {
  if (output === 'result') return WHOLE;
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return undefined;
  const layout = layoutNamed(operation.argument.layout);
  if (!layout.fields.some(({ name }) => name === output)) return undefined;
  const { offset, width } = fieldOf(layout, output);
  return { offset, width };
};

/** The outputs of operations that later ones use. */
class Slots {
  count = 0;
  private readonly latest = new Map<string, number>();
  private readonly captures = new Map<number, Map<string, Capture>>();
  private readonly program: Program;

  constructor(program: Program) {
    this.program = program;
  }

  /** The slot of the value for the current operation; undefined if there is none: the value is 0. */
  slotOf({ from, out }: ResultOf): number | undefined {
    const index = this.latest.get(from);
    const operation = index === undefined ? undefined : this.program[index];
    if (index === undefined || operation === undefined) return undefined;
    const place = placeOf(operation, out);
    if (place === undefined) return undefined;
    const known = this.captures.get(index) ?? new Map<string, Capture>();
    this.captures.set(index, known);
    const found = known.get(out);
    if (found !== undefined) return found.slot;
    known.set(out, { ...place, slot: this.count });
    this.count += 1;
    return this.count - 1;
  }

  passed(index: number, label: string): void {
    this.latest.set(label, index);
  }

  capturesOf(index: number): Capture[] {
    return [...(this.captures.get(index)?.values() ?? [])];
  }
}

/** One operation's body, with the positions to patch from slots. */
class Body {
  readonly writer = new wire.WordWriter();
  readonly patches: Patch[] = [];
  private readonly slots: Slots;

  constructor(slots: Slots) {
    this.slots = slots;
  }

  /** The constant part of a value; a slot's value is patched in at `position` bytes. */
  resolve(value: Value, position: number, width: number): bigint {
    if (typeof value === 'bigint') return value;
    if ('arena' in value) return BigInt.asUintN(64, ARENA_BASE + value.arena);
    const slot = this.slots.slotOf(value);
    if (slot !== undefined && width > 0) this.patches.push({ position, width, slot });
    return 0n;
  }

  narrow(value: Value): void {
    const word = this.resolve(value, this.writer.length * 4, 4);
    this.writer.push(Number(BigInt.asIntN(32, word)));
  }

  /** A descriptor to close or map: a number beyond an int is none. */
  descriptor(value: Value): void {
    const word = this.resolve(value, this.writer.length * 4, 4);
    this.writer.push(word === BigInt.asIntN(32, word) ? Number(word) : -1);
  }

  wide(value: Value): void {
    this.writer.pushWide(this.resolve(value, this.writer.length * 4, 8));
  }

  span(at: Value, bytes: Uint8Array): void {
    this.wide(at);
    this.writer.push(bytes.length);
    this.writer.pushBytes(bytes);
  }

  struct(argument: Extract<Argument, { kind: 'struct' }>): void {
    const layout = layoutNamed(argument.layout);
    this.wide(argument.at);
    const start = (this.writer.length + 1) * 4;
    const length = Math.min(argument.length ?? layout.size, layout.size);
    const values: Record<string, bigint> = {};
    for (const [name, value] of Object.entries(argument.fields)) {
      const known = layout.fields.some((field) => field.name === name);
      if (!known) continue;
      const { offset, width } = fieldOf(layout, name);
      const shown = Math.max(0, Math.min(width, length - offset));
      values[name] = BigInt.asUintN(width * 8, this.resolve(value, start + offset, shown));
    }
    const tail = Buffer.from(argument.tail ?? '', 'hex');
    const bytes = Buffer.concat([encode(layout, values).subarray(0, length), tail]);
    this.writer.push(bytes.length);
    this.writer.pushBytes(bytes);
  }

  words(at: Value, words: readonly Value[]): void {
    this.wide(at);
    this.writer.push(words.length * 8);
    for (const word of words) this.wide(word);
  }

  ioctl(operation: Extract<Operation, { op: 'ioctl' }>): void {
    const { argument } = operation;
    this.narrow(operation.fd);
    this.writer.push(operation.command | 0);
    this.wide(argument.kind === 'plain' ? argument.value : argument.at);
    match(argument)
      .with({ kind: 'plain' }, () => this.writer.push(0))
      .with({ kind: 'bytes' }, ({ at, hex }) => {
        this.writer.push(1);
        this.span(at, Buffer.from(hex, 'hex'));
      })
      .with({ kind: 'struct' }, (struct) => {
        const { also = [] } = struct;
        this.writer.push(1 + also.length);
        this.struct(struct);
        for (const { at, words } of also) this.words(at, words);
      })
      .exhaustive();
  }
}

const mmapFlags = (operation: Extract<Operation, { op: 'mmap' }>): number =>
  wire.PROTECTIONS.indexOf(operation.protection) |
  (operation.shared ? 1 << 4 : 0) |
  (wire.BACKINGS.indexOf(operation.backing.kind) << 8);

/** Writes the body and returns the kind. */
const compileBody = (
  operation: Operation,
  body: Body,
  pathNumber: (path: string) => number,
): number =>
  match(operation)
    .with({ op: 'open' }, ({ path }) => {
      body.writer.push(pathNumber(path));
      return wire.OPEN;
    })
    .with({ op: 'close' }, ({ fd }) => {
      body.descriptor(fd);
      return wire.CLOSE;
    })
    .with({ op: 'ioctl' }, (ioctl) => {
      body.ioctl(ioctl);
      return wire.IOCTL;
    })
    .with({ op: 'memfd' }, ({ length }) => {
      body.wide(length);
      return wire.MEMFD;
    })
    .with({ op: 'mmap' }, (mmap) => {
      const { backing } = mmap;
      body.wide(mmap.offset);
      body.wide(mmap.length);
      body.writer.push(mmapFlags(mmap));
      body.descriptor(backing.kind === 'memfd' ? backing.fd : -1n);
      body.wide(backing.kind === 'memfd' ? backing.offset : 0n);
      return wire.MMAP;
    })
    .with({ op: 'munmap' }, ({ offset, length }) => {
      body.wide(offset);
      body.wide(length);
      return wire.MUNMAP;
    })
    .with({ op: 'dma' }, (dma) => {
      body.narrow(dma.fd);
      body.writer.push(wire.DIRECTIONS.indexOf(dma.direction));
      body.wide(dma.iova);
      body.writer.push(dma.length);
      body.writer.push(dma.look === undefined ? 0 : 1);
      if (dma.look !== undefined) {
        body.span({ arena: dma.look }, new Uint8Array(dma.length));
      }
      return wire.DMA;
    })
    .with({ op: 'status' }, ({ field }) => {
      body.writer.push(wire.STATUS_FIELDS.indexOf(field));
      return wire.STATUS;
    })
    .with({ op: 'store' }, ({ offset, hex }) => {
      body.span({ arena: offset }, Buffer.from(hex, 'hex'));
      return wire.STORE;
    })
    .exhaustive();

const compileProgram = (
  program: Program,
  writer: wire.WordWriter,
  pathNumber: (path: string) => number,
): void => {
  const slots = new Slots(program);
  const compiled = program.map((operation, index) => {
    const body = new Body(slots);
    const kind = compileBody(operation, body, pathNumber);
    slots.passed(index, operation.label);
    return { kind, body };
  });
  writer.push(program.length);
  writer.push(slots.count);
  compiled.forEach(({ kind, body }, index) => {
    const captures = slots.capturesOf(index);
    const before = wire.HEADER_WORDS + body.patches.length * 2 + captures.length * 3;
    writer.push(kind);
    writer.push(before + body.writer.length);
    writer.push(body.patches.length);
    writer.push(captures.length);
    for (const { position, width, slot } of body.patches) {
      writer.push(before * 4 + position);
      writer.push(width | (slot << 8));
    }
    for (const { slot, offset, width } of captures) {
      writer.push(slot);
      writer.push(offset);
      writer.push(width);
    }
    writer.pushBytes(body.writer.finished());
  });
};

/** The programs as one batch for the runner. */
export const compileBatch = (programs: readonly Program[], fresh = false): Uint8Array => {
  const paths = new Map<string, number>();
  const pathNumber = (path: string): number => {
    const known = paths.get(path) ?? paths.size;
    paths.set(path, known);
    return known;
  };
  const body = new wire.WordWriter();
  body.push(programs.length);
  for (const program of programs) compileProgram(program, body, pathNumber);
  const head = new wire.WordWriter();
  head.push(fresh ? 1 : 0);
  head.push(paths.size);
  for (const path of paths.keys()) {
    const bytes = Buffer.from(path);
    head.push(bytes.length);
    head.pushBytes(bytes);
  }
  return Buffer.concat([head.finished(), body.finished()]);
};
