// SPDX-License-Identifier: MIT
// Follows a log line by line, and gives each call on files of VFIO and iommufd with what the log shows of its file.

import { NATIVE_CALLS } from '../../spec/abi/native.ts';
import { fileDescriptor } from '../../spec/abi/units.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import type { Call, Observation } from '../../spec/terms/call.ts';
import { answersOn, isSuccess } from './answers.ts';
import type { DescriptorTable } from './descriptor-table.ts';
import { applyCall, isHarmless, openOf, showsEveryCall } from './effects.ts';
import { ioctlNumber, isVfioName, isVfioNumber } from './ioctl-names.ts';
import { type FinishedCall, type LogLine, LogLines } from './log-line.ts';
import { FILE_KINDS, fileOf, isOfVfio, type LoggedFile } from './logged-file.ts';
import { type LoggedProcess, Processes } from './processes.ts';
import type { SplitCall } from './split-call.ts';
import { descriptorIn, type LoggedDescriptor, type LoggedResult, numberIn } from './values.ts';

/** A call, with what the log shows of the file that it is on. */
export type LoggedCall = {
  readonly call: Call;
  /** Undefined where the call did not return. */
  readonly observation: Observation | undefined;
  readonly file: Readonly<LoggedFile>;
  /** The descriptor was closed before, and nothing that the log shows opened it again. */
  readonly isClosed: boolean;
  /** The log has every call that can change what is known of the file, and none overlaps this one. */
  readonly isWhole: boolean;
  /** Calls that succeeded on any file, or may have. */
  readonly madeAnywhere: ReadonlySet<number>;
};

export type Followed =
  | { readonly kind: 'call'; readonly logged: LoggedCall }
  /** Why the line is not understood. */
  | { readonly kind: 'skipped'; readonly why: string };

const LINE_NOT_UNDERSTOOD = 'this line is not understood, and is skipped';
const DROPS = 'this line is not understood, and may have a call: what was known before is not used';
const UNKNOWN_IOCTL = 'the name of this ioctl is not known: what was known before is not used';

const OPENS_IN_STRUCT: ReadonlySet<number> = new Set(
  NATIVE_CALLS.filter(({ name }) =>
    ['IOMMU_FAULT_QUEUE_ALLOC', 'IOMMU_VEVENTQ_ALLOC', 'IOMMU_TEST_CMD'].includes(name),
  ).map(({ command }) => command),
);

/** The terminal's calls, which most programs make, and which open nothing. */
const TERMINAL = 0x54;

const observationOf = (result: LoggedResult): Observation | undefined => {
  switch (result.kind) {
    case 'value':
      return { result: result.value, errno: 0, memory: [] };
    case 'error':
      return { result: -1, errno: result.errno, memory: [] };
    case 'none':
      return undefined;
  }
};

const ANY_FILE = (): LoggedFile => fileOf(undefined, false);

export class LogFollower {
  readonly #lines = new LogLines();
  readonly #processes = new Processes();
  readonly #madeAnywhere = new Set<number>();
  /** The log begins with the start of the program. */
  #isFromStart = false;
  #hasCall = false;
  #showsEveryCall = false;
  /** A line was lost, or something that is not in the log may use its files. */
  #isBroken = false;

  /** What the line of the log gives. */
  take(text: string): readonly Followed[] {
    return this.#lines.take(text).flatMap((line) => this.#follow(line) ?? []);
  }

  /** Lines are missing here. */
  lostLines(): void {
    this.#isBroken = true;
    for (const { table } of this.#processes.all) table.drop();
  }

  #follow(line: LogLine): Followed | undefined {
    switch (line.kind) {
      case 'nothing':
        return undefined;
      case 'unclear':
        if (line.mayBeCall) this.lostLines();
        return { kind: 'skipped', why: line.mayBeCall ? DROPS : LINE_NOT_UNDERSTOOD };
      case 'attached':
        this.#processes.attached(line.child);
        return undefined;
      case 'ended':
        this.#processes.ended(this.#processes.of(line.process));
        return undefined;
      case 'begins':
        this.#begins(this.#processes.of(line.process), line.call);
        return undefined;
      case 'call':
        return this.#call(this.#processes.of(line.process), line.call);
    }
  }

  /** What a call may do has to be reckoned with from its beginning. */
  #begins(process: LoggedProcess, { name, arguments: args }: SplitCall): void {
    this.#note(name);
    process.inside = { name, args, since: process.table.now };
    if (name !== 'ioctl') return;
    const on = descriptorIn(args[0] ?? '');
    const command = ioctlNumber(args[1] ?? '');
    if (on === undefined || command === undefined) return;
    this.#mayHaveMade(this.#fileAt(process.table, on), command);
  }

  #note(name: string): void {
    if (!this.#hasCall) this.#isFromStart = name === 'execve';
    this.#hasCall = true;
    if (showsEveryCall(name)) this.#showsEveryCall = true;
  }

  /** Whether another process is inside a call that may change descriptors or files. */
  #overlaps(process: LoggedProcess): boolean {
    if (this.#processes.isFull) return true;
    for (const other of this.#processes.all) {
      if (other !== process && other.inside !== undefined && !isHarmless(other.inside.name))
        return true;
    }
    return false;
  }

  #call(process: LoggedProcess, call: FinishedCall): Followed | undefined {
    this.#note(call.name);
    const then = process.inside?.since ?? process.table.now;
    process.inside = undefined;
    if (call.name === 'ioctl') return this.#ioctl(process, call);
    const logged = this.#openOrClose(process, call);
    this.#forks(process, call);
    if (call.arguments.some((one) => one.includes('SCM_RIGHTS')) && call.name.startsWith('send')) {
      this.#isBroken = true;
    }
    applyCall(process, call, then);
    return logged === undefined ? undefined : { kind: 'call', logged };
  }

  #forks(process: LoggedProcess, call: FinishedCall): void {
    const { name, result } = call;
    if (result.kind !== 'value' || !/^(?:v?fork|clone3?)$/.test(name)) return;
    const isFollowed = this.#lines.namesProcesses;
    if (!this.#processes.forked(process, call, result.value, isFollowed)) this.#isBroken = true;
  }

  #isWhole(process: LoggedProcess, isSplit: boolean): boolean {
    const isComplete = this.#isFromStart && this.#showsEveryCall && !this.#isBroken;
    return isComplete && !isSplit && !this.#overlaps(process);
  }

  #fileAt(table: DescriptorTable, { fd, path }: LoggedDescriptor): LoggedFile {
    const entry = table.at(fd);
    if (entry?.kind === 'open' && (path === undefined || entry.file.path === path)) {
      return entry.file;
    }
    if (entry?.kind === 'open' && entry.file.path === undefined && path !== undefined) {
      const named = fileOf(path, entry.file.isOpenedHere);
      const both = entry.file.kinds.filter((kind) => named.kinds.includes(kind));
      if (both.length > 0) {
        const file = { ...entry.file, path, kinds: both };
        table.set(fd, { kind: 'open', file });
        return file;
      }
    }
    if (path === undefined && entry?.kind === 'closed') {
      return entry.file !== undefined && isOfVfio(entry.file) ? entry.file : ANY_FILE();
    }
    const file = fileOf(path, false);
    table.set(fd, { kind: 'open', file });
    return file;
  }

  #openOrClose(process: LoggedProcess, call: FinishedCall): LoggedCall | undefined {
    const { name, arguments: args, result, isSplit } = call;
    const of = { isClosed: false, madeAnywhere: this.#madeAnywhere };
    const asked = openOf(call);
    if (asked !== undefined) {
      const path = (result.kind === 'value' ? result.path : undefined) ?? asked.path;
      const file = fileOf(path, true);
      if (path === undefined || !isOfVfio(file) || file.kinds[0] === 'device') return undefined;
      return {
        ...of,
        call: { kind: 'open', process: process.id, path },
        observation: observationOf(result),
        file,
        isWhole: this.#isWhole(process, isSplit),
      };
    }
    const on = name === 'close' ? descriptorIn(args[0] ?? '') : undefined;
    const entry = on === undefined ? undefined : process.table.at(on.fd);
    if (on === undefined || entry?.kind !== 'open' || !isOfVfio(entry.file)) return undefined;
    if (on.path !== undefined && entry.file.path !== on.path) return undefined;
    return {
      ...of,
      call: { kind: 'close', process: process.id, fd: fileDescriptor(on.fd) },
      observation: observationOf(result),
      file: { ...entry.file },
      isWhole: this.#isWhole(process, isSplit),
    };
  }

  #ioctl(process: LoggedProcess, call: FinishedCall): Followed | undefined {
    const { arguments: args, result } = call;
    const { table } = process;
    const on = descriptorIn(args[0] ?? '');
    const command = ioctlNumber(args[1] ?? '');
    if (on === undefined) return undefined;
    if (command === undefined || !isVfioNumber(command)) {
      if (command === undefined && isVfioName(args[1] ?? '')) {
        this.lostLines();
        return { kind: 'skipped', why: UNKNOWN_IOCTL };
      }
      if (result.kind === 'value' && (command === undefined || command >>> 8 !== TERMINAL)) {
        table.dropClosed();
      }
      return undefined;
    }
    const logged = this.#logged(process, on, command, call);
    if (logged === undefined) return undefined;
    if (result.kind === 'value') this.#succeeded(table, on, command, result.value);
    return { kind: 'call', logged };
  }

  #logged(
    process: LoggedProcess,
    on: LoggedDescriptor,
    command: number,
    { arguments: args, result, isSplit }: FinishedCall,
  ): LoggedCall | undefined {
    const { table } = process;
    const isClosed = table.at(on.fd)?.kind === 'closed' && on.path === undefined;
    const file = this.#fileAt(table, on);
    if (file.kinds.length === 1 && file.kinds[0] === 'other') return undefined;
    const argument = BigInt.asUintN(64, numberIn(args[2] ?? '') ?? 0n);
    return {
      call: {
        kind: 'ioctl',
        process: process.id,
        fd: fileDescriptor(on.fd),
        command,
        argument,
        memory: [],
      },
      observation: observationOf(result),
      file: { ...file, made: new Set(file.made) },
      isClosed: isClosed && !isSplit && !this.#overlaps(process),
      isWhole: this.#isWhole(process, isSplit),
      madeAnywhere: new Set(this.#madeAnywhere),
    };
  }

  #mayHaveMade(file: LoggedFile, command: number): void {
    if (!isVfioNumber(command)) return;
    file.made.add(command);
    this.#madeAnywhere.add(command);
  }

  #succeeded(table: DescriptorTable, on: LoggedDescriptor, command: number, result: number): void {
    const entry = table.at(on.fd);
    const file = this.#fileAt(table, on);
    this.#mayHaveMade(file, command);
    const kinds = file.kinds.filter((kind) => isSuccess(answersOn(kind, command), result));
    if (kinds.length > 0 && kinds.length < FILE_KINDS.length) file.kinds = kinds;
    // What was closed is open after all.
    if (entry?.kind === 'closed') table.set(on.fd, { kind: 'open', file });
    if (OPENS_IN_STRUCT.has(command)) table.dropClosed();
    if (command === vfio.VFIO_GROUP_GET_DEVICE_FD) {
      const device = fileOf('anon_inode:[vfio-device]', true);
      table.set(result, { kind: 'open', file: device });
    } else if (file.kinds.some((kind) => kind === 'device' || kind === 'cdev')) {
      // VFIO_DEVICE_FEATURE and others may open descriptors.
      table.dropClosed();
      if (result > 0) table.set(result, undefined);
    }
  }
}
