// SPDX-License-Identifier: MIT
// The statements of a C file: a call an operation, each printed with its result, and what the last one must have given.

import { match } from 'ts-pattern';
import type { Operation } from '../../model/programs/program.ts';
import { ERRNO, errnoName } from '../../spec/abi/errno.ts';
import { VFIO_GROUP_GET_DEVICE_FD } from '../../spec/abi/vfio.ts';
import type { Protection } from '../../spec/terms/call.ts';
import { programText } from '../report/program-text.ts';
import type { TracedStep } from '../trace/step-json.ts';
import type { ArenaPages } from './arena-use.ts';
import { type Ioctl, type IoctlParts, ioctlParts, type Surroundings } from './c-ioctl.ts';
import { memoryCheck } from './c-memory-check.ts';
import { nativeName, number } from './c-names.ts';
import { bytesLiteral, pointer, putLines } from './c-span.ts';
import { type CStyle, PLAIN_STYLE } from './c-style.ts';
import { type CText, c, cJoin, cName, cString } from './c-text.ts';
import { CValues, placeText } from './c-values.ts';
import { openedBy } from './descriptors.ts';
import type { Emission } from './emission-data.ts';
import { mayBeVariable } from './placement.ts';
import { TracedPages } from './traced-pages.ts';

export const PROTECTION: Readonly<Record<Protection, CText>> = {
  none: c`PROT_NONE`,
  read: c`PROT_READ`,
  'read-write': c`PROT_READ | PROT_WRITE`,
};

export const expectedText = (operation: Operation, step: TracedStep | undefined): CText => {
  if (step === undefined) return c`ANYTHING`;
  const { result, errno } = step.observation;
  if (errno !== 0) {
    const name = errnoName(errno);
    return name in ERRNO ? c`-${cName(name)}` : c`${-errno}`;
  }
  return openedBy(operation) ? c`A_DESCRIPTOR` : c`${result}`;
};

export class Statements {
  readonly lines: CText[] = [];
  readonly #emission: Emission;
  readonly #values: CValues;
  readonly #traced: TracedPages;
  readonly #inVariables: boolean;
  readonly #style: CStyle;
  readonly #texts: readonly string[];
  #hasTestCommands = false;

  /** The last ioctl, for what checks the memory that it wrote. */
  last: IoctlParts | undefined;

  constructor(emission: Emission, inVariables: boolean, style: CStyle = PLAIN_STYLE) {
    this.#emission = emission;
    this.#style = style;
    this.#values = new CValues(emission.program);
    this.#traced = new TracedPages(emission.base);
    this.#inVariables = inVariables;
    this.#texts = programText(emission.program);
  }

  writeAll(): void {
    const { program } = this.#emission;
    program.forEach((operation, index) => {
      this.lines.push(c``);
      this.#write(operation, index);
      this.#values.passed(index, operation.label);
      this.#traced.passed(operation, this.#emission.steps[index]);
    });
  }

  get #pages(): ArenaPages {
    return this.#traced.pages;
  }

  get #around(): Surroundings {
    return {
      values: this.#values,
      pages: this.#pages,
      base: this.#emission.base,
      inVariables: this.#inVariables,
      device: this.#style.device,
    };
  }

  #write(operation: Operation, index: number): void {
    match(operation)
      .with({ op: 'open' }, (open) => this.#open(open, index))
      .with({ op: 'ioctl' }, (ioctl) => this.#ioctl(ioctl, index))
      .with({ op: 'close' }, (close) =>
        this.#plain(close, index, c`close(${this.#values.descriptor(close.fd)})`),
      )
      .with({ op: 'memfd' }, (memfd) => this.#memfd(memfd, index))
      .with({ op: 'mmap' }, (mmap) => this.#mmap(mmap, index))
      .with({ op: 'munmap' }, (munmap) => {
        const place = placeText(munmap.offset);
        const call = c`munmap((void *)(${place}), ${number(munmap.length)})`;
        this.#plain(munmap, index, call);
      })
      .with({ op: 'store' }, (store) => this.#store(store, index))
      .with({ op: 'status' }, (status) =>
        this.#plain(status, index, c`status_pages(${cString(status.field)})`),
      )
      .with({ op: 'dma' }, (dma) => this.#dma(dma, index))
      .exhaustive();
  }

  /** The statement that makes the call and prints it; its result is kept where something needs it. */
  #report(operation: Operation, index: number, call: CText): void {
    const step = this.#emission.steps[index];
    const text = this.#texts[index] ?? '';
    this.#keep(index, this.#style.report(text, call, expectedText(operation, step)));
  }

  #isLast(index: number): boolean {
    return index === this.#emission.program.length - 1;
  }

  /** Whether something checks the result. */
  #isKept(index: number): boolean {
    const concludes = this.#isLast(index) && this.#style.concludes;
    return concludes || this.#values.capturesOf(index).length > 0;
  }

  #keep(index: number, reported: CText): void {
    this.lines.push(this.#isKept(index) ? c`result = ${reported};` : c`${reported};`);
  }

  #captureResults(index: number): void {
    for (const { name, field } of this.#values.capturesOf(index)) {
      if (field === undefined) this.lines.push(c`int ${name} = result < 0 ? 0 : result;`);
    }
  }

  #plain(operation: Operation, index: number, call: CText): void {
    this.#report(operation, index, call);
    this.#captureResults(index);
    if (this.#isLast(index)) this.#conclude(operation, index, []);
  }

  #memfd(operation: Extract<Operation, { op: 'memfd' }>, index: number): void {
    this.#plain(operation, index, c`memory_file(${number(operation.length)})`);
    const succeeded = (this.#emission.steps[index]?.observation.result ?? -1) >= 0;
    // Descriptor 0 would stand for it.
    if (succeeded && this.#isKept(index) && !this.#isLast(index)) {
      this.lines.push(c`if (result < 0)`, c`\tfails("memfd_create");`);
    }
  }

  #open(operation: Extract<Operation, { op: 'open' }>, index: number): void {
    const { steps, program } = this.#emission;
    const succeeded = (steps[index]?.observation.result ?? -1) >= 0;
    if (succeeded && !this.#isLast(index)) {
      const path = this.#style.path(operation.path);
      this.#keep(index, this.#style.open(this.#texts[index] ?? '', path));
      this.#captureResults(index);
      const usesTests = program.some(
        (each) => each.op === 'ioctl' && nativeName(each.command) === 'IOMMU_TEST_CMD',
      );
      const [capture] = this.#values.capturesOf(index);
      if (usesTests && !this.#hasTestCommands && operation.path === '/dev/iommu' && capture) {
        this.lines.push(c`require_test_commands(${capture.name});`);
        this.#hasTestCommands = true;
      }
      return;
    }
    const call = c`open(${this.#style.path(operation.path)}, O_RDWR | O_CLOEXEC)`;
    this.#report(operation, index, call);
    this.#captureResults(index);
    if (!this.#isLast(index) || !this.#style.concludes) return;
    if (succeeded) {
      this.lines.push(
        c`if (result == -ENOENT || result == -EACCES || result == -EPERM)`,
        c`\tlacks(${cString(operation.path)});`,
      );
    }
    this.#conclude(operation, index, []);
  }

  #mmap(operation: Extract<Operation, { op: 'mmap' }>, index: number): void {
    const { backing, offset, length, protection, shared } = operation;
    const flags = cJoin(
      [
        ...(backing.kind === 'huge' ? [c`MAP_HUGETLB | MAP_ANONYMOUS`] : []),
        shared || backing.kind === 'device' ? c`MAP_SHARED` : c`MAP_PRIVATE`,
        ...(backing.kind === 'anonymous' ? [c`MAP_ANONYMOUS`] : []),
      ],
      c` | `,
    );
    const fd =
      backing.kind === 'memfd'
        ? this.#values.descriptor(backing.fd)
        : backing.kind === 'device'
          ? c`device_memory`
          : c`-1`;
    const from = backing.kind === 'memfd' ? number(backing.offset) : c`0`;
    this.#plain(
      operation,
      index,
      c`${backing.kind === 'memfd' ? c`map_file` : c`map_at`}(${placeText(offset)}, ${number(length)}, ${PROTECTION[protection]}, ${flags}, ${fd}, ${from})`,
    );
  }

  #store(operation: Extract<Operation, { op: 'store' }>, index: number): void {
    const bytes = Buffer.from(operation.hex, 'hex');
    const address = this.#emission.base + operation.offset;
    const there = this.#pages.readable(address, bytes.length);
    const name = c`bytes_${index + 1}`;
    if (there > 0) {
      this.lines.push(
        c`static const __u8 ${name}[] = ${bytesLiteral(bytes)};`,
        ...putLines(this.#pages, address, placeText(operation.offset), name, there),
      );
    }
    this.#plain(operation, index, c`${there}`);
  }

  #ioctl(operation: Ioctl, index: number): void {
    const { base, steps } = this.#emission;
    const step = steps[index];
    const around = this.#around;
    const inVariable = this.#inVariables && mayBeVariable(operation, base);
    const parts = ioctlParts(operation, index + 1, around, inVariable, step);
    this.last = parts;
    const isLast = this.#isLast(index);
    const check =
      isLast && step !== undefined && this.#style.concludes
        ? memoryCheck(operation, parts, step, this.#values)
        : { before: [], after: [], conditions: [] };
    this.lines.push(...parts.before);
    if (check.before.length > 0)
      this.lines.push(c`/* What the call leaves there. */`, ...check.before);
    this.#report(operation, index, parts.call);
    for (const { name, type, field } of this.#values.capturesOf(index)) {
      const source = field === undefined ? c`result` : (parts.read(field.name) ?? c`0`);
      this.lines.push(c`${type} ${name} = result < 0 ? 0 : ${source};`);
    }
    this.lines.push(...check.after);
    const gotDevice =
      operation.command === VFIO_GROUP_GET_DEVICE_FD && (step?.observation.result ?? -1) >= 0;
    if (gotDevice && this.#isKept(index)) {
      this.lines.push(c`if (result == -ENODEV)`, c`\tlacks("a device of that name in the group");`);
    }
    if (isLast) this.#conclude(operation, index, check.conditions);
  }

  /** A transfer by QEMU's edu. */
  #dma(operation: Extract<Operation, { op: 'dma' }>, index: number): void {
    const { fd, direction, iova, length, look } = operation;
    const step = this.#emission.steps[index];
    const call = c`device_moves(${this.#values.descriptor(fd)}, ${direction === 'read' ? 0 : 1}, ${this.#values.wide(iova)}, ${length})`;
    this.#report(operation, index, call);
    this.#captureResults(index);
    if (!this.#isLast(index)) return;
    const seen = step?.observation.memory[0]?.bytes ?? new Uint8Array();
    const there =
      look === undefined ? 0 : this.#pages.readable(this.#emission.base + look, seen.length);
    if (look === undefined || there === 0) {
      this.#conclude(operation, index, []);
      return;
    }
    if (this.#style.concludes) {
      this.lines.push(c`static const __u8 expected[] = ${bytesLiteral(seen.subarray(0, there))};`);
    }
    const place = pointer(placeText(look));
    this.#conclude(operation, index, [c`same_bytes("the memory", ${place}, expected, ${there})`]);
  }

  #conclude(operation: Operation, index: number, conditions: readonly CText[]): void {
    if (!this.#style.concludes) return;
    const step = this.#emission.steps[index];
    const expected = expectedText(operation, step);
    const all = step === undefined ? [c`1`] : [c`is_same(result, ${expected})`, ...conditions];
    if (step === undefined) this.lines.push(c`(void)result;`);
    const [first = c`1`, ...others] = all;
    this.lines.push(c``, c`int shown = ${first};`);
    for (const condition of others) this.lines.push(c`shown &= ${condition};`);
  }
}
