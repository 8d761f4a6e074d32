// SPDX-License-Identifier: MIT
// Follows a program and its children, thread by thread, and notifies a listener before and after each recorded call.
// Only one such call runs at a time, so their order is that of the kernel.

import { FilterInstaller } from './filter.ts';
import { processOf } from './proc-files.ts';
import * as ptrace from './ptrace.ts';
import { isIoctlOfInterest, NUMBER } from './system-calls.ts';

export type Caller = { readonly process: number; readonly thread: number };

/** Called with the call's result; an error is a negative number of an errno. */
export type AfterCall = (result: bigint) => void;

export type Listener = {
  /** Called before a call; undefined if its result is not needed. */
  readonly call: (caller: Caller, number: number, args: readonly bigint[]) => AfterCall | undefined;
  readonly forked: (parent: Caller, child: number) => void;
  readonly executed: (process: number) => void;
  readonly exited: (process: number) => void;
};

/** One that never throws. */
export type SafeListener = Listener & {
  /** Something else failed while the program was followed. */
  readonly failed: (error: unknown) => void;
};

type Entry = Extract<ptrace.SyscallStop, { kind: 'entry' }>;

type Task = Caller & { after: AfterCall | undefined };

const OF_INTEREST = new Set<number>(Object.values(NUMBER));

const isOfInterest = ({ number, args }: Entry): boolean =>
  number === NUMBER.ioctl ? isIoctlOfInterest(args[1] as bigint) : OF_INTEREST.has(number);

const SIGTRAP = 5;
const SYSCALL_STOP = SIGTRAP | 0x80;
/** SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU. */
const STOPPING = new Set([19, 20, 21, 22]);

/** A call that takes longer, such as one that waits for another, no longer blocks the others. Milliseconds. */
const PATIENCE = 1000;
const NAP = 1;
const napping = new Int32Array(new SharedArrayBuffer(4));

/** The kernel's internal errnos for a call that restarts after a signal. */
const isRestarted = (result: bigint): boolean => result <= -512n && result >= -516n;

/** Status as a shell reports it. */
const exitStatusOf = (status: number): number =>
  (status & 0x7f) === 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f);

export class Tracer {
  readonly #listener: SafeListener;
  readonly #first: number;
  readonly #tasks = new Map<number, Task>();
  /** New threads that stopped before their parent reported them. */
  readonly #early = new Set<number>();
  readonly #held: { readonly task: Task; readonly entry: Entry }[] = [];
  #busy: Task | undefined;
  #busySince = 0;
  #installer: FilterInstaller | undefined;
  #isFiltered = false;
  #hasBegun = false;
  #status = 0;

  /** `first` is a child that has been seized, and executes the program next. */
  constructor(first: number, listener: SafeListener, wantsFilter: boolean) {
    this.#first = first;
    this.#listener = listener;
    this.#installer = wantsFilter ? new FilterInstaller() : undefined;
    this.#tasks.set(first, { process: first, thread: first, after: undefined });
  }

  /** Whether the kernel stops the program only at recorded calls. */
  get isFiltered(): boolean {
    return this.#isFiltered;
  }

  /** Returns when all processes have ended: the first one's exit status, undefined if it never executed the program. */
  run(): number | undefined {
    while (this.#tasks.size > 0) {
      const change = this.#next();
      if (change !== undefined) this.#safelyChanged(change);
      else if (this.#held.length === 0) break;
    }
    return this.#hasBegun ? this.#status : undefined;
  }

  #next(): ptrace.Change | undefined {
    if (this.#held.length === 0) return ptrace.nextChange(true);
    const change = ptrace.nextChange(false);
    if (change !== undefined) return change;
    if (Date.now() - this.#busySince > PATIENCE) this.#release();
    else Atomics.wait(napping, 0, 0, NAP);
    return undefined;
  }

  /** The thread continues whatever fails here. */
  #safelyChanged(change: ptrace.Change): void {
    try {
      this.#changed(change);
    } catch (error) {
      this.#listener.failed(error);
      this.#installer = undefined;
      const task = this.#tasks.get(change.thread);
      if (task !== undefined) this.#resume(task, 0);
    }
  }

  #changed({ thread, status }: ptrace.Change): void {
    if ((status & 0xff) !== 0x7f) {
      this.#ended(thread, status);
      return;
    }
    const task = this.#tasks.get(thread);
    if (task === undefined) {
      this.#early.add(thread);
      return;
    }
    const signal = (status >> 8) & 0xff;
    const event = status >> 16;
    if (event !== 0) this.#event(task, event, signal);
    else if (signal === SYSCALL_STOP) this.#atSyscall(task);
    else this.#resume(task, signal);
  }

  #ended(thread: number, status: number): void {
    const task = this.#tasks.get(thread);
    this.#tasks.delete(thread);
    this.#early.delete(thread);
    const held = this.#held.findIndex(({ task: { thread: other } }) => other === thread);
    if (held >= 0) this.#held.splice(held, 1);
    if (this.#busy === task) this.#release();
    if (task === undefined || task.process !== thread) return;
    if (thread === this.#first) this.#status = exitStatusOf(status);
    if (this.#hasBegun) this.#listener.exited(thread);
  }

  #event(task: Task, event: number, signal: number): void {
    switch (event) {
      case ptrace.EVENT.fork:
      case ptrace.EVENT.vfork:
      case ptrace.EVENT.clone:
        this.#born(task, ptrace.eventMessage(task.thread));
        break;
      case ptrace.EVENT.exec:
        this.#executed(task);
        break;
      case ptrace.EVENT.seccomp:
        this.#atSyscall(task);
        return;
      case ptrace.EVENT.stop:
        if (STOPPING.has(signal)) {
          ptrace.leaveStopped(task.thread);
          return;
        }
    }
    this.#resume(task, 0);
  }

  #born(parent: Task, thread: number): void {
    const process = processOf(thread);
    const child: Task = { process, thread, after: undefined };
    this.#tasks.set(thread, child);
    if (process !== parent.process) this.#listener.forked(parent, process);
    if (this.#early.delete(thread)) this.#resume(child, 0);
  }

  /** At an execve the thread takes the process's id; its other threads end. */
  #executed(task: Task): void {
    const former = ptrace.eventMessage(task.thread);
    if (former !== task.thread) this.#tasks.delete(former);
    if (this.#busy?.process === task.process) this.#release();
    task.after = undefined;
    this.#hasBegun = true;
    this.#listener.executed(task.process);
  }

  #atSyscall(task: Task): void {
    const stop = ptrace.syscallStop(task.thread);
    if (this.#installer !== undefined && !this.#hasBegun) {
      const result = this.#installer.stopped(task.thread, stop);
      if (result !== 'pending') {
        this.#installer = undefined;
        this.#isFiltered = result === 'done';
      }
    } else if (stop.kind === 'entry' && this.#hasBegun && isOfInterest(stop)) {
      if (this.#busy === undefined) this.#begin(task, stop);
      else this.#held.push({ task, entry: stop });
      return;
    } else if (stop.kind === 'exit' && task.after !== undefined) {
      if (!isRestarted(stop.result)) task.after(stop.result);
      task.after = undefined;
      if (this.#busy === task) this.#release();
    }
    this.#resume(task, 0);
  }

  #begin(task: Task, { number, args }: Entry): void {
    task.after = this.#listener.call(task, number, args);
    if (task.after !== undefined) {
      this.#busy = task;
      this.#busySince = Date.now();
    }
    this.#resume(task, 0);
  }

  /** Lets the next call begin. */
  #release(): void {
    this.#busy = undefined;
    while (this.#busy === undefined) {
      const next = this.#held.shift();
      if (next === undefined) return;
      this.#begin(next.task, next.entry);
    }
  }

  #resume({ thread, after }: Task, signal: number): void {
    if (this.#isFiltered && after === undefined) ptrace.resume(thread, signal);
    else ptrace.resumeToSyscall(thread, signal);
  }
}
