// SPDX-License-Identifier: MIT
// Calls of a syzkaller program that can be left out: they change neither the program's memory, its limits nor its
// descriptors, and no call that is kept uses what they give.

import type { Results } from './results.ts';
import type { SyzArgument, SyzCall } from './tree.ts';

const CALLS = new Set([
  ...['socket', 'socketpair', 'bind', 'connect', 'listen', 'accept', 'accept4', 'shutdown'],
  ...['getsockopt', 'setsockopt', 'getsockname', 'getpeername', 'sendto', 'sendmsg', 'sendmmsg'],
  ...['getpid', 'gettid', 'getppid', 'getuid', 'geteuid', 'getgid', 'getegid', 'uname', 'sysinfo'],
  ...[
    'sched_yield',
    'nanosleep',
    'clock_nanosleep',
    'clock_gettime',
    'gettimeofday',
    'time',
    'times',
  ],
  ...[
    'getrandom',
    'getcwd',
    'pipe',
    'pipe2',
    'eventfd',
    'eventfd2',
    'epoll_create',
    'epoll_create1',
  ],
  ...[
    'timerfd_create',
    'inotify_init',
    'inotify_init1',
    'syz_emit_ethernet',
    'syz_extract_tcp_res',
  ],
  ...['syz_genetlink_get_family_id', 'syz_init_net_socket', 'syz_init_net'],
]);

/** Ioctls of sockets and of KVM, on a descriptor of a call that is skipped. */
const IOCTLS = /^ioctl\$(sock_|SIOC|KVM_|TUN)/;

/** The names of results in an argument, those that it gives among them. */
function* namesIn(
  argument: SyzArgument,
): Generator<{ readonly name: string; readonly isGiven: boolean }> {
  switch (argument.kind) {
    case 'result':
      yield { name: argument.name, isGiven: false };
      return;
    case 'named':
      yield { name: argument.name, isGiven: true };
      yield* namesIn(argument.value);
      return;
    case 'pointer':
      if (argument.content !== undefined) yield* namesIn(argument.content);
      return;
    case 'union':
      if (argument.value !== undefined) yield* namesIn(argument.value);
      return;
    case 'struct':
      for (const field of argument.fields) yield* namesIn(field);
      return;
    case 'array':
      for (const element of argument.elements) yield* namesIn(element);
      return;
    default:
      return;
  }
}

const isSkippable = ({ name, arguments: [fd] }: SyzCall, results: Results): boolean => {
  if (CALLS.has(name.replace(/\$.*/, ''))) return true;
  return IOCTLS.test(name) && fd?.kind === 'result' && results.isSkipped(fd.name);
};

/** Whether the call is left out; its results are noted as such. */
export const skips = (call: SyzCall, results: Results): boolean => {
  if (!isSkippable(call, results)) return false;
  const names = call.arguments.flatMap((argument) => [...namesIn(argument)]);
  if (names.some(({ name, isGiven }) => !isGiven && !results.isSkipped(name))) return false;
  for (const { name, isGiven } of names) if (isGiven) results.giveSkipped(name, call.line);
  if (call.result !== undefined) results.giveSkipped(call.result, call.line);
  return true;
};
