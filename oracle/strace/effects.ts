// SPDX-License-Identifier: MIT
// What calls other than ioctl do to descriptors.

import { ERRNO } from '../../spec/abi/errno.ts';
import { DescriptorTable } from './descriptor-table.ts';
import type { FinishedCall } from './log-line.ts';
import { fileOf, OTHER_FILE } from './logged-file.ts';
import type { LoggedProcess } from './processes.ts';
import { descriptorIn, hasFlag, numberIn, stringIn } from './values.ts';

/** Calls that return a descriptor of a new file, which has no calls of VFIO. */
const MAKES: ReadonlySet<string> = new Set([
  'socket',
  'accept',
  'accept4',
  'eventfd',
  'eventfd2',
  'epoll_create',
  'epoll_create1',
  'timerfd_create',
  'signalfd',
  'signalfd4',
  'inotify_init',
  'inotify_init1',
  'fanotify_init',
  'memfd_create',
  'memfd_secret',
  'userfaultfd',
  'perf_event_open',
  'pidfd_open',
  'io_uring_setup',
  'fsopen',
  'fspick',
  'mq_open',
]);

/** Calls that return no descriptor, and change none. */
const HARMLESS: ReadonlySet<string> = new Set([
  'read',
  'write',
  'pread64',
  'pwrite64',
  'readv',
  'writev',
  'preadv',
  'pwritev',
  'lseek',
  'mmap',
  'munmap',
  'mprotect',
  'mremap',
  'madvise',
  'msync',
  'mlock',
  'mlock2',
  'munlock',
  'mlockall',
  'brk',
  'futex',
  'futex_waitv',
  'poll',
  'ppoll',
  'select',
  'pselect6',
  'epoll_wait',
  'epoll_pwait',
  'epoll_pwait2',
  'epoll_ctl',
  'nanosleep',
  'clock_nanosleep',
  'clock_gettime',
  'gettimeofday',
  'wait4',
  'waitid',
  'pause',
  'restart_syscall',
  'rt_sigaction',
  'rt_sigprocmask',
  'rt_sigreturn',
  'rt_sigtimedwait',
  'rt_sigsuspend',
  'sigaltstack',
  'fstat',
  'newfstatat',
  'stat',
  'lstat',
  'statx',
  'access',
  'faccessat',
  'faccessat2',
  'readlink',
  'readlinkat',
  'getdents64',
  'ftruncate',
  'fallocate',
  'fsync',
  'getpid',
  'gettid',
  'getppid',
  'getuid',
  'geteuid',
  'getgid',
  'getegid',
  'uname',
  'getcwd',
  'getrandom',
  'getrlimit',
  'setrlimit',
  'prlimit64',
  'getrusage',
  'sysinfo',
  'arch_prctl',
  'prctl',
  'set_tid_address',
  'set_robust_list',
  'rseq',
  'sched_yield',
  'sched_getaffinity',
  'sched_setaffinity',
  'membarrier',
  'kill',
  'tkill',
  'tgkill',
  'exit',
  'exit_group',
]);

export const isHarmless = (name: string): boolean => HARMLESS.has(name);

/** Calls that no filter of a few calls has: with one of them the log has every call. */
const EVERY_PROGRAM: ReadonlySet<string> = new Set(['arch_prctl', 'set_tid_address', 'rseq']);

export const showsEveryCall = (name: string): boolean => EVERY_PROGRAM.has(name);

const OPENS: Readonly<Record<string, number>> = { open: 0, creat: 0, openat: 1, openat2: 1 };

/** The path of an open, where the log has it; undefined for calls that open nothing. */
export const openOf = ({
  name,
  arguments: args,
}: Pick<FinishedCall, 'name' | 'arguments'>): { readonly path: string | undefined } | undefined => {
  const at = OPENS[name];
  return at === undefined ? undefined : { path: stringIn(args[at] ?? '') };
};

const CLOSE_RANGE_UNSHARE = 2n;
const CLOSE_RANGE_CLOEXEC = 4n;

const closeRange = (process: LoggedProcess, { arguments: args, isSplit }: FinishedCall): void => {
  const { table } = process;
  const [first = '', last = '', flags = '0'] = args;
  const from = numberIn(first);
  const to = last.startsWith('~') ? BigInt(Number.MAX_SAFE_INTEGER) : numberIn(last);
  if (hasFlag(flags, 'CLOSE_RANGE_UNSHARE', CLOSE_RANGE_UNSHARE) !== false) {
    process.table = DescriptorTable.unknown();
    return;
  }
  if (hasFlag(flags, 'CLOSE_RANGE_CLOEXEC', CLOSE_RANGE_CLOEXEC) !== false) return;
  if (isSplit || from === undefined || to === undefined) {
    table.drop();
    return;
  }
  for (const [fd, entry] of table.between(Number(from), Number(to))) {
    if (entry.kind === 'open') table.set(fd, { kind: 'closed', file: entry.file });
  }
};

const isCopy = (name: string, args: readonly string[]): boolean =>
  name === 'dup' ||
  name === 'dup2' ||
  name === 'dup3' ||
  (name === 'fcntl' && (/\bF_DUPFD/.test(args[1] ?? '') || isDupNumber(args[1] ?? '')));

const isDupNumber = (text: string): boolean => {
  const value = numberIn(text);
  return value === 0n || value === 1030n;
};

const opened = (path: string) => ({ kind: 'open', file: fileOf(path, false) }) as const;

/** A call that may have opened descriptors in ways that are not followed. */
const mayOpen = (table: DescriptorTable, fd: number): void => {
  table.dropClosed();
  if (table.at(fd)?.kind === 'closed') table.set(fd, undefined);
};

const close = (process: LoggedProcess, call: FinishedCall, then: number): void => {
  const { table } = process;
  const closed = descriptorIn(call.arguments[0] ?? '');
  if (closed === undefined) {
    table.drop();
    return;
  }
  const { fd } = closed;
  const entry = table.at(fd);
  const isDoubtful = call.isSplit && table.hasChangedSince(fd, then);
  if (call.result.kind === 'value' && !isDoubtful) {
    table.set(fd, { kind: 'closed', file: entry?.kind === 'open' ? entry.file : undefined });
  } else if (call.result.kind !== 'error' || call.result.errno !== ERRNO.EBADF) {
    table.set(fd, undefined);
  }
};

/** What a call made of the descriptors of its process. `then` is when it began. */
export const applyCall = (process: LoggedProcess, call: FinishedCall, then: number): void => {
  const { table } = process;
  const { name, arguments: args, result } = call;
  if (name === 'close') {
    close(process, call, then);
    return;
  }
  if (result.kind !== 'value') return;
  const { value: fd, path } = result;
  const isDoubtful = (one: number): boolean => call.isSplit && table.hasChangedSince(one, then);
  const asked = openOf(call);
  if (asked !== undefined) {
    const file = fileOf(path ?? asked.path, true);
    table.set(fd, isDoubtful(fd) ? undefined : { kind: 'open', file });
  } else if (isCopy(name, args)) {
    const from = descriptorIn(args[0] ?? '');
    const entry = from === undefined || isDoubtful(from.fd) ? undefined : table.at(from.fd);
    const copied = entry ?? (path === undefined ? undefined : opened(path));
    table.set(fd, isDoubtful(fd) || copied?.kind === 'closed' ? undefined : copied);
  } else if (MAKES.has(name)) {
    table.set(fd, isDoubtful(fd) ? undefined : { kind: 'open', file: OTHER_FILE });
  } else if (name === 'close_range') {
    closeRange(process, call);
  } else if (name === 'execve' || name === 'execveat') {
    process.table = new DescriptorTable();
  } else if (name === 'unshare') {
    process.table = DescriptorTable.unknown();
  } else if (!HARMLESS.has(name) && name !== 'fcntl') {
    mayOpen(table, fd);
  }
};
