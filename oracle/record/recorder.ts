// SPDX-License-Identifier: MIT
// Makes the lines of a recording from the program's calls: descriptors, ioctls with the memory that they read and
// write, and changes of processes and their memory.

import { fileToBeMapped, pointedAt, type Range, structAt, toBeMapped } from './ioctl-memory.ts';
import { type Emit, MemoryCalls, mappingLines } from './memory-calls.ts';
import { isRecorded, pathOf, recordedDescriptors } from './proc-files.ts';
import { hex, type LineFields, type RecordingLines } from './recording-lines.ts';
import { NUMBER } from './system-calls.ts';
import { TraceeMemory } from './tracee-memory.ts';
import type { AfterCall, Caller, Listener } from './tracer.ts';

const F_DUPFD = 0n;
const F_DUPFD_CLOEXEC = 1030n;

const CHANGES_MAPPINGS = new Set<number>([
  NUMBER.mmap,
  NUMBER.munmap,
  NUMBER.mprotect,
  NUMBER.pkeyMprotect,
  NUMBER.mremap,
  NUMBER.madvise,
  NUMBER.brk,
]);

type Arguments = readonly bigint[];

const descriptorOf = (argument: bigint | undefined): number =>
  Number(BigInt.asIntN(32, argument ?? 0n));

const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

export class Recorder implements Listener {
  readonly #lines: RecordingLines;
  readonly #memory = new TraceeMemory();
  readonly #calls: MemoryCalls;
  /** The files that were open at an execve. */
  readonly #beforeExec = new Map<number, ReadonlyMap<number, string>>();
  readonly #emit: Emit;
  readonly #begun: (process: number) => void;
  #hasBegun = false;

  /** `begun` is called before the program's first instruction. */
  constructor(lines: RecordingLines, begun: (process: number) => void) {
    this.#lines = lines;
    this.#begun = begun;
    this.#emit = ({ process, thread }, fields) => this.#lines.add(process, thread, fields);
    this.#calls = new MemoryCalls(this.#emit);
  }

  call(caller: Caller, number: number, args: Arguments): AfterCall | undefined {
    if (CHANGES_MAPPINGS.has(number)) this.#calls.changing();
    switch (number) {
      case NUMBER.ioctl:
        return this.#ioctl(caller, args);
      case NUMBER.open:
      case NUMBER.openat:
      case NUMBER.openat2:
        return (result) => this.#opened(caller, Number(result));
      case NUMBER.close:
        return this.#close(caller, descriptorOf(args[0]));
      case NUMBER.dup:
        return this.#duplicate(caller, descriptorOf(args[0]));
      case NUMBER.dup2:
      case NUMBER.dup3:
        return this.#duplicate(caller, descriptorOf(args[0]), descriptorOf(args[1]));
      case NUMBER.fcntl:
        return args[1] === F_DUPFD || args[1] === F_DUPFD_CLOEXEC
          ? this.#duplicate(caller, descriptorOf(args[0]))
          : undefined;
      case NUMBER.closeRange:
        return this.#closeRange(caller);
      case NUMBER.execve:
      case NUMBER.execveat:
        this.#beforeExec.set(caller.process, recordedDescriptors(caller.process));
        return undefined;
      case NUMBER.mmap:
        return this.#calls.mmap(caller, args);
      case NUMBER.munmap:
        return this.#calls.munmap(caller, args);
      case NUMBER.mprotect:
      case NUMBER.pkeyMprotect:
        return this.#calls.mprotect(caller, args);
      case NUMBER.mremap:
        return this.#calls.mremap(caller, args);
      case NUMBER.madvise:
        return this.#calls.madvise(caller, args);
      case NUMBER.brk:
        return this.#calls.brk(caller);
      default:
        return undefined;
    }
  }

  forked(parent: Caller, child: number): void {
    this.#calls.forked(parent.process, child);
    this.#emit(parent, { call: 'fork', child });
  }

  executed(process: number): void {
    if (!this.#hasBegun) this.#begun(process);
    this.#hasBegun = true;
    this.#lines.add(process, undefined, this.#calls.executed(process));
    this.#closedSince(process, this.#beforeExec.get(process));
    this.#beforeExec.delete(process);
  }

  exited(process: number): void {
    this.#lines.add(process, undefined, { call: 'exit' });
  }

  #descriptorLine(process: number, fd: number, path: string, more: LineFields): void {
    this.#lines.add(process, undefined, { fd, path, ...more });
  }

  #opened({ process }: Caller, fd: number): void {
    if (fd < 0) return;
    const path = pathOf(process, fd);
    if (isRecorded(path)) this.#descriptorLine(process, fd, path, { call: 'open' });
  }

  #close({ process }: Caller, fd: number): AfterCall | undefined {
    const path = pathOf(process, fd);
    if (!isRecorded(path)) return undefined;
    return () => this.#descriptorLine(process, fd, path, { call: 'close' });
  }

  #duplicate({ process }: Caller, from: number, to?: number): AfterCall | undefined {
    const path = pathOf(process, from);
    const replaced = to === undefined || to === from ? '' : pathOf(process, to);
    if (!isRecorded(path) && !isRecorded(replaced)) return undefined;
    return (result) => {
      const fd = Number(result);
      if (fd < 0 || fd === from) return;
      if (isRecorded(replaced)) this.#descriptorLine(process, fd, replaced, { call: 'close' });
      if (isRecorded(path)) this.#descriptorLine(process, fd, path, { call: 'dup', from });
    };
  }

  #closeRange({ process }: Caller): AfterCall {
    const before = recordedDescriptors(process);
    return () => this.#closedSince(process, before);
  }

  #closedSince(process: number, before: ReadonlyMap<number, string> | undefined): void {
    if (before === undefined || before.size === 0) return;
    const after = recordedDescriptors(process);
    for (const [fd, path] of before) {
      if (!after.has(fd)) this.#descriptorLine(process, fd, path, { call: 'close' });
    }
  }

  #ioctl(caller: Caller, args: Arguments): AfterCall | undefined {
    const { process } = caller;
    const fd = descriptorOf(args[0]);
    const path = pathOf(process, fd);
    if (!isRecorded(path)) return undefined;
    const command = Number(BigInt.asUintN(32, args[1] as bigint));
    const argument = args[2] as bigint;
    const struct = structAt(this.#memory, process, command, argument);
    const range = struct === undefined ? undefined : pointedAt(command, struct);
    const fields: LineFields = {
      fd,
      path,
      call: 'ioctl',
      cmd: hex(command),
      arg: hex(argument),
      ...(struct === undefined ? {} : { in: hexOf(struct) }),
      ...(range === undefined
        ? {}
        : { mem: { addr: hex(range.address), in: this.#hexAt(process, range) } }),
      ...(struct === undefined ? {} : this.#mapped(process, command, struct)),
    };
    return (result) => {
      const isError = result < 0n && result >= -4095n;
      const after =
        struct === undefined || struct.length === 0
          ? undefined
          : { address: argument, length: struct.length };
      const out = after === undefined ? undefined : this.#hexAt(process, after);
      const memOut = range === undefined ? undefined : this.#hexAt(process, range);
      // Killed during the call: its result is not known.
      if ((out === '' || memOut === '') && this.#memory.isGone(process)) return;
      this.#emit(caller, {
        ...fields,
        ret: isError ? -1 : Number(BigInt.asIntN(32, result)),
        errno: isError ? Number(-result) : 0,
        ...(out === undefined ? {} : { out }),
        ...(memOut === undefined ? {} : { memOut }),
      });
    };
  }

  /** The mappings of the memory to map. */
  #mapped(process: number, command: number, struct: Uint8Array): LineFields {
    const range = toBeMapped(command, struct);
    if (range !== undefined) {
      const met = this.#calls.meeting(process, range.start, range.last);
      return { vmas: mappingLines(met) };
    }
    const fd = fileToBeMapped(command, struct);
    return fd === undefined ? {} : this.#calls.backing(process, fd);
  }

  #hexAt(process: number, { address, length }: Range): string {
    return hexOf(this.#memory.read(process, address, length));
  }
}
