// SPDX-License-Identifier: MIT
// Verdicts on small logs of strace: what no struct allows is a violation, and what the log cannot show is unknown.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeLog, verdictsOf } from '../../helpers/strace-logs.ts';

const verdicts = suite('verdicts on logs of strace');

const OPEN = 'openat(AT_FDCWD, "/dev/iommu", O_RDWR|O_CLOEXEC) = 3';
const CONTAINER = 'openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR|O_CLOEXEC) = 5';
const GROUP = 'openat(AT_FDCWD, "/dev/vfio/24", O_RDWR|O_CLOEXEC) = 6';
const START = ['execve("./a", ["./a"], 0x7ffc0 /* 9 vars */) = 0', 'set_tid_address(0x7f0) = 7'];

const native = (number: number, result: string, fd = '3'): string =>
  `ioctl(${fd}, _IOC(_IOC_NONE, 0x3b, 0x${number.toString(16)}, 0), 0x7ffd0) = ${result}`;

const DESTROY = 0x80;
const ALLOC = 0x81;
const MAP = 0x85;
const HWPT_ALLOC = 0x89;

const kindsOf = (...lines: readonly string[]): readonly string[] =>
  judgeLog(lines).calls.map(({ verdict }) => verdict.kind);

const last = (...lines: readonly string[]): string => kindsOf(...lines).at(-1) ?? 'nothing';

verdicts('a call on a descriptor that the log closes fails with EBADF alone', () => {
  const closed = [OPEN, native(ALLOC, '0'), 'close(3) = 0'];
  assert.is(last(...closed, native(DESTROY, '0')), 'violation');
  assert.is(last(...closed, native(DESTROY, '-1 ENOENT (No such file or directory)')), 'violation');
  assert.equal(
    verdictsOf(judgeLog([...closed, native(DESTROY, '-1 EBADF (Bad file descriptor)')])).at(-1),
    '4 conforms descriptors/bad-descriptor',
  );
});

verdicts('what may have opened the descriptor again makes it unknown', () => {
  const closed = [OPEN, native(ALLOC, '0'), 'close(3) = 0'];
  for (const between of [
    'recvmsg(7, {msg_name=NULL}, 0) = 1',
    'dup2(9, 3) = 3',
    'fcntl(9, F_DUPFD_CLOEXEC, 3) = 3',
    'some_new_call(1) = 3',
    'what is this( line',
    '[...]',
    'execve("./b", ["./b"], 0x7ffc0 /* 9 vars */) = 0',
  ]) {
    assert.is(last(...closed, between, native(DESTROY, '0')), 'unknown', between);
  }
  assert.is(last(...closed, native(DESTROY, '0', '3</dev/iommu>')), 'unknown');
});

verdicts(
  'an error that no rule gives is a violation, and one that some rule gives is unknown',
  () => {
    assert.is(last(OPEN, native(MAP, '-1 EXDEV (Invalid cross-device link)')), 'violation');
    assert.is(last(OPEN, native(MAP, '-1 (errno 18)')), 'violation');
    assert.is(last(OPEN, native(MAP, '-1 EBUSY (Device or resource busy)')), 'violation');
    for (const error of ['EINVAL', 'ENOMEM', 'EEXIST', 'ENOSPC', 'EFAULT', 'ENOENT', 'ENOTTY']) {
      assert.is(last(OPEN, native(MAP, `-1 ${error} (text)`)), 'unknown', error);
    }
  },
);

verdicts('of calls whose structs or drivers have no rules any error is unknown', () => {
  assert.is(last(OPEN, native(HWPT_ALLOC, '-1 EXDEV (text)')), 'unknown');
  assert.is(last(CONTAINER, 'ioctl(5, VFIO_SET_IOMMU, 0x1) = -1 EPIPE (text)'), 'unknown');
});

verdicts('a call returns what it may return', () => {
  assert.is(last(OPEN, native(ALLOC, '5')), 'violation');
  assert.is(last(OPEN, native(ALLOC, '0')), 'unknown');
  assert.equal(verdictsOf(judgeLog([CONTAINER, 'ioctl(5, VFIO_CHECK_EXTENSION, 0x1) = 7'])), [
    '1 conforms open/container',
    '2 violation',
  ]);
  assert.is(last(GROUP, 'ioctl(6, VFIO_GROUP_GET_DEVICE_FD, 0x7ffd0) = 9'), 'unknown');
});

verdicts('reports of a violation name one rule for each answer', () => {
  const { calls } = judgeLog([OPEN, native(MAP, '-1 EXDEV (text)')]);
  const verdict = calls.at(-1)?.verdict;
  assert.is(verdict?.kind, 'violation');
  if (verdict?.kind !== 'violation') return;
  const answers = verdict.rejected.map(({ reply }) => reply.errno);
  assert.is(answers.length, new Set(answers).size);
  assert.ok(answers.includes(0) && answers.length > 5);
});

verdicts('a complete log shows what a call lacks', () => {
  assert.is(last(...START, OPEN, native(MAP, '0')), 'violation');
  assert.is(last(...START, OPEN, native(ALLOC, '0'), native(MAP, '0')), 'unknown');
  assert.is(last(...START, CONTAINER, 'ioctl(5, VFIO_SET_IOMMU, 0x1) = 0'), 'violation');
  const joined = [
    ...START,
    CONTAINER,
    GROUP,
    'ioctl(6, VFIO_GROUP_SET_CONTAINER, 0x7ffd0) = 0',
    'ioctl(5, VFIO_SET_IOMMU, 0x1) = 0',
  ];
  assert.not(kindsOf(...joined).includes('violation'));
  assert.is(last(...joined, 'ioctl(5, VFIO_IOMMU_MAP_DMA, 0x7ffd0) = 0'), 'unknown');
});

verdicts('a log that lacks calls does not', () => {
  const clone = 'clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, exit_signal=0}, 88) = 9';
  // Filtered, of a process that ran before, with a thread that is not followed, with a descriptor that was passed.
  for (const before of [
    [OPEN],
    ['set_tid_address(0x7f0) = 7', OPEN],
    [...START, clone, OPEN],
    [...START, OPEN, 'sendmsg(9, {msg_control=[{cmsg_type=SCM_RIGHTS, cmsg_data=[3]}]}, 0) = 1'],
  ]) {
    assert.is(last(...before, native(MAP, '0')), 'unknown', before.join('; '));
  }
});

verdicts('a call of another process that has not returned may have been made', () => {
  const lines = [...START, OPEN].map((line) => `10 ${line}`);
  const thread = '10 clone(child_stack=0x7f0, flags=CLONE_VM|CLONE_FILES|CLONE_THREAD) = 11';
  const [alloc, map] = [native(ALLOC, '0'), native(MAP, '0')];
  assert.is(last(...lines, thread, `11 ${map}`), 'violation');
  const begun = `10 ${alloc.replace(/,[^,]*$/, ' <unfinished ...>')}`;
  assert.is(last(...lines, thread, begun, `11 ${map}`), 'unknown');
  const closing = '10 close(3 <unfinished ...>';
  assert.is(last(...lines, thread, closing, `11 ${alloc}`), 'unknown');
});

verdicts('threads share descriptors, and children have copies', () => {
  const lines = ['10 set_tid_address(0x7f0) = 10', `10 ${OPEN}`];
  const thread = '10 clone(child_stack=0x7f0, flags=CLONE_VM|CLONE_FILES|CLONE_THREAD) = 11';
  const child = '10 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 11';
  const used = `10 ${native(DESTROY, '0')}`;
  assert.is(last(...lines, thread, '11 close(3) = 0', used), 'violation');
  assert.is(last(...lines, child, '11 close(3) = 0', used), 'unknown');
  const raw = '10 clone3(0x7ffd0, 0x58) = 11';
  assert.is(last(...lines, raw, '11 close(3) = 0', used), 'unknown');
});

verdicts('interrupted calls have no reply', () => {
  assert.is(
    last(OPEN, native(MAP, '? ERESTARTSYS (To be restarted if SA_RESTART is set)')),
    'unknown',
  );
  assert.is(last(OPEN, native(MAP, '?')), 'unknown');
});

verdicts('lines that are not understood are named', () => {
  const { skipped, calls } = judgeLog([OPEN, 'hello world', native(ALLOC, '0')]);
  assert.equal(skipped, ['2: this line is not understood, and is skipped']);
  assert.is(calls.length, 2);
  const unclear = judgeLog([OPEN, 'written by the program ioctl(3', native(ALLOC, '0')]);
  assert.match(unclear.skipped[0] ?? '', /^2: .* may have a call/);
});

verdicts('what strace says beside calls is no call, and is understood', () => {
  const { skipped, calls } = judgeLog([
    'strace: Process 12 attached',
    '--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=12} ---',
    '[pid    12] +++ exited with 0 +++',
    '+++ killed by SIGKILL (core dumped) +++',
    'exit_group(0)                           = ?',
    '% time     seconds  usecs/call     calls    errors syscall',
    '------ ----------- ----------- --------- --------- ----------------',
    ' 35.29    0.000006           1         4           mmap',
    '100.00    0.000017           1        16         1 total',
  ]);
  assert.equal(skipped, []);
  assert.equal(calls, []);
});

verdicts.run();
