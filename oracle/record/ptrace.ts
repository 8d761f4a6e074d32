// SPDX-License-Identifier: MIT
// ptrace(2) and what goes with it, by FFI on the C library of an x86-64 Linux. All calls must come from one thread of
// the operating system: the kernel knows the tracer by its thread.

import koffi from 'koffi';
import { errno } from '../subjects/kernel/libc.ts';

const libc = koffi.load('libc.so.6');

type Word = number | bigint;

const ptraceCall: (request: number, thread: number, address: Word, data: Word) => Word = libc.func(
  'int64_t ptrace(int64_t request, int thread, uint64_t address, uint64_t data)',
);
const ptraceOut: (request: number, thread: number, size: number, data: Uint8Array) => Word =
  libc.func('int64_t ptrace(int64_t request, int thread, uint64_t size, _Out_ void *data)');
const ptraceIn: (request: number, thread: number, size: number, data: Uint8Array) => Word =
  libc.func('int64_t ptrace(int64_t request, int thread, uint64_t size, const void *data)');
const waitpid: (thread: number, status: Int32Array, options: number) => number = libc.func(
  'int waitpid(int thread, _Out_ void *status, int options)',
);
const spawn: (
  process: Int32Array,
  path: string,
  actions: Uint8Array,
  attributes: Uint8Array,
  words: readonly (string | null)[],
  environment: readonly (string | null)[],
) => number = libc.func(
  'int posix_spawn(_Out_ void *process, const char *path, const void *actions, const void *attributes, const char **words, const char **environment)',
);
const initAttributes: (attributes: Uint8Array) => number = libc.func(
  'int posix_spawnattr_init(_Out_ void *attributes)',
);
const setDefaultSignals: (attributes: Uint8Array, set: Uint8Array) => number = libc.func(
  'int posix_spawnattr_setsigdefault(_Inout_ void *attributes, const void *set)',
);
const initActions: (actions: Uint8Array) => number = libc.func(
  'int posix_spawn_file_actions_init(_Out_ void *actions)',
);
const addDuplicate: (actions: Uint8Array, from: number, to: number) => number = libc.func(
  'int posix_spawn_file_actions_adddup2(_Inout_ void *actions, int from, int to)',
);
const destroyActions: (actions: Uint8Array) => number = libc.func(
  'int posix_spawn_file_actions_destroy(_Inout_ void *actions)',
);
const setFlags: (attributes: Uint8Array, flags: number) => number = libc.func(
  'int posix_spawnattr_setflags(_Inout_ void *attributes, int16_t flags)',
);

const REQUEST = {
  cont: 7,
  getRegisters: 12,
  setRegisters: 13,
  syscall: 24,
  getEventMessage: 0x4201,
  seize: 0x4206,
  listen: 0x4208,
  getSyscallInfo: 0x420e,
} as const;

/** Stops are distinguished, children and threads followed; with the tracer, the program ends too. */
const OPTIONS =
  0x01 /* TRACESYSGOOD */ |
  0x02 /* TRACEFORK */ |
  0x04 /* TRACEVFORK */ |
  0x08 /* TRACECLONE */ |
  0x10 /* TRACEEXEC */ |
  0x80 /* TRACESECCOMP */ |
  0x10_0000; /* EXITKILL */

export const EVENT = { fork: 1, vfork: 2, clone: 3, exec: 4, seccomp: 7, stop: 128 } as const;

const WAIT_ALL = 0x4000_0000;
const WAIT_NO_HANG = 1;
const WAIT_STOPPED = 2;
const EINTR = 4;

const status = new Int32Array(1);

export type Change = { readonly thread: number; readonly status: number };

/** The next thread that stopped or ended; undefined if there is none (or none yet, if not to wait). */
export const nextChange = (wait: boolean): Change | undefined => {
  const options = WAIT_ALL | (wait ? 0 : WAIT_NO_HANG);
  let thread: number;
  do thread = waitpid(-1, status, options);
  while (thread < 0 && errno() === EINTR);
  return thread <= 0 ? undefined : { thread, status: status[0] as number };
};

/** Waits for a child to stop; false where it ended instead. */
export const waitStopped = (child: number): boolean =>
  waitpid(child, status, WAIT_STOPPED) === child && ((status[0] as number) & 0xff) === 0x7f;

/** 0, or the error number. */
export const seize = (thread: number): number =>
  Number(ptraceCall(REQUEST.seize, thread, 0, OPTIONS)) === 0 ? 0 : errno();

// A thread may be killed at any moment: then these calls fail, and the next event reports it.

export const resume = (thread: number, signal: number): void => {
  ptraceCall(REQUEST.cont, thread, 0, signal);
};
export const resumeToSyscall = (thread: number, signal: number): void => {
  ptraceCall(REQUEST.syscall, thread, 0, signal);
};
/** Leaves a thread stopped that job control stopped, and reports when it continues. */
export const leaveStopped = (thread: number): void => {
  ptraceCall(REQUEST.listen, thread, 0, 0);
};

const message = new Uint8Array(8);
const messageView = new DataView(message.buffer);

export const eventMessage = (thread: number): number => {
  ptraceOut(REQUEST.getEventMessage, thread, 0, message);
  return messageView.getUint32(0, true);
};

const INFO_SIZE = 88;
const info = new Uint8Array(INFO_SIZE);
const infoView = new DataView(info.buffer);
const ARCH_X86_64 = 0xc000_003e;

export type SyscallStop =
  | { readonly kind: 'entry'; readonly number: number; readonly args: readonly bigint[] }
  | { readonly kind: 'exit'; readonly result: bigint; readonly isError: boolean }
  /** Not a system call of 64 bits. */
  | { readonly kind: 'other' };

const OTHER: SyscallStop = { kind: 'other' };

/** The system call at which a thread stopped, before it or after it. */
export const syscallStop = (thread: number): SyscallStop => {
  if (Number(ptraceOut(REQUEST.getSyscallInfo, thread, INFO_SIZE, info)) <= 0) return OTHER;
  if (infoView.getUint32(4, true) !== ARCH_X86_64) return OTHER;
  const operation = info[0];
  if (operation === 2) {
    return { kind: 'exit', result: infoView.getBigInt64(24, true), isError: info[32] === 1 };
  }
  if (operation !== 1 && operation !== 3) return OTHER;
  const args = [32, 40, 48, 56, 64, 72].map((at) => infoView.getBigUint64(at, true));
  return { kind: 'entry', number: Number(infoView.getBigUint64(24, true)), args };
};

/** struct user_regs_struct of x86-64: 27 words. */
export const REGISTER = {
  r10: 7,
  r8: 9,
  rax: 10,
  rdx: 12,
  rsi: 13,
  rdi: 14,
  origRax: 15,
  rip: 16,
  rsp: 19,
} as const;
const REGISTERS = 27;

export const registersOf = (thread: number): BigUint64Array => {
  const words = new BigUint64Array(REGISTERS);
  ptraceOut(REQUEST.getRegisters, thread, 0, new Uint8Array(words.buffer));
  return words;
};
export const setRegisters = (thread: number, words: BigUint64Array): void => {
  ptraceIn(REQUEST.setRegisters, thread, 0, new Uint8Array(words.buffer));
};

// More than the C library needs of each.
const ATTRIBUTES_SIZE = 512;
const ACTIONS_SIZE = 128;
const SIGNAL_SET_SIZE = 128;
const SPAWN_SETSIGDEF = 4;

/** A child with this program, all signals as by default; its number. Throws where there can be none. */
export const spawnChild = (
  path: string,
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): number => {
  const attributes = new Uint8Array(ATTRIBUTES_SIZE);
  initAttributes(attributes);
  setDefaultSignals(attributes, new Uint8Array(SIGNAL_SET_SIZE).fill(0xff));
  setFlags(attributes, SPAWN_SETSIGDEF);
  // Node.js sets close-on-exec; dup2 onto the same descriptor clears it.
  const actions = new Uint8Array(ACTIONS_SIZE);
  initActions(actions);
  for (const fd of [0, 1, 2]) addDuplicate(actions, fd, fd);
  const variables = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  const child = new Int32Array(1);
  const failure = spawn(child, path, actions, attributes, [...words, null], [...variables, null]);
  destroyActions(actions);
  if (failure !== 0) throw new Error(`${path} cannot be started: error ${failure}.`);
  return child[0] as number;
};
