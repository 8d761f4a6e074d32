// SPDX-License-Identifier: MIT
// Recordings of real kernels as logs of strace: none has a violation, and whatever options strace had the calls are the
// same.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FIXTURES, readLines, recordingsIn } from '../../harness/recordings.ts';
import {
  judgeLog,
  type LogCall,
  type LogForm,
  logLine,
  splitLines,
} from '../../helpers/strace-logs.ts';

/** What each program does at its start, in a log of all calls. */
const START = [
  'execve("./test", ["./test"], 0x7ffc0 /* 21 vars */) = 0',
  'set_tid_address(0x7f0) = 7',
];

const callOf = (text: string): LogCall | undefined => {
  const { pid, fd, path, call, cmd, arg, ret = 0, errno = 0 } = JSON.parse(text);
  const of = { pid, fd, path, errno };
  switch (call) {
    case 'open':
      return path.startsWith('/dev/') ? { ...of, name: 'openat', result: fd } : undefined;
    case 'close':
      return { ...of, name: 'close', result: 0 };
    case 'ioctl':
      return { ...of, name: 'ioctl', command: Number(cmd), argument: BigInt(arg), result: ret };
    default:
      return undefined;
  }
};

const recordings = async (): Promise<ReadonlyMap<string, readonly LogCall[]>> => {
  const found = new Map<string, readonly LogCall[]>();
  for (const [index, name] of recordingsIn(FIXTURES).entries()) {
    if (index % 3 !== 0) continue;
    const lines = await readLines(`${FIXTURES}/${name}`);
    found.set(
      name,
      lines.slice(1, 200).flatMap((text) => callOf(text) ?? []),
    );
  }
  return found;
};

const FORMS: readonly LogForm[] = [
  {},
  { followed: 'column', time: '12:34:56.123456', spent: true },
  { followed: 'brackets', constants: 'raw', time: '1700000000.123456' },
  { paths: 'y', constants: 'verbose', time: '     0.000123' },
  { paths: 'yy', spent: true },
  { isRaw: true, followed: 'column' },
];

const hasOneProcess = (calls: readonly LogCall[]): boolean =>
  calls.every(({ pid }) => pid === calls[0]?.pid);

const logs = suite('recordings as logs of strace');

const all = await recordings();

logs('a log of a right kernel has no violation, complete or filtered, with any options', () => {
  let judged = 0;
  for (const [name, calls] of all) {
    for (const form of FORMS) {
      // Without -f a log has one process.
      if (form.followed === undefined && !hasOneProcess(calls)) continue;
      const lines = calls.map((call) => logLine(call, form));
      // The recordings do not have the start of a second process.
      const starts = hasOneProcess(calls) && form.followed === undefined ? [[], START] : [[]];
      for (const start of starts) {
        const result = judgeLog([...start, ...lines]);
        judged += result.calls.length;
        assert.equal(result.skipped, []);
        const violation = result.calls.find(({ verdict }) => verdict.kind === 'violation');
        assert.not(violation !== undefined, `${name}, ${JSON.stringify(form)}: ${violation?.line}`);
      }
    }
  }
  assert.ok(judged > 8000, `${judged}`);
});

logs('the same calls come out of every form', () => {
  for (const [name, calls] of all) {
    if (!hasOneProcess(calls)) continue;
    // -y shows what a descriptor is whose open is not in the log.
    const seen = FORMS.filter(({ paths }) => paths === undefined).map((form) =>
      judgeLog(calls.map((call) => logLine(call, form))).calls.map(
        ({ line, call, observation, verdict }) => ({
          line,
          call: { ...call, process: 0 },
          observation,
          kind: verdict.kind,
        }),
      ),
    );
    for (const one of seen) assert.equal(one, seen[0], name);
  }
});

logs('a call on two lines is the same call', () => {
  for (const [name, calls] of [...all].slice(0, 20)) {
    if (!hasOneProcess(calls)) continue;
    const form: LogForm = { followed: 'column' };
    const whole = judgeLog(calls.map((call) => logLine(call, form))).calls;
    const split = judgeLog(calls.flatMap((call) => splitLines(call, form))).calls;
    assert.equal(
      split.map(({ call, observation }) => ({ call, observation })),
      whole.map(({ call, observation }) => ({ call, observation })),
      name,
    );
    assert.not(split.some(({ verdict }) => verdict.kind === 'violation'));
  }
});

logs('a log that is cut anywhere is read', () => {
  const [, calls = []] = [...all].find(([name]) => name.includes('basic')) ?? [];
  const text = [
    ...START,
    ...calls.slice(0, 12).flatMap((call) => splitLines(call, FORMS[4] ?? {})),
  ];
  for (const [index, line] of text.entries()) {
    for (let end = 0; end <= line.length; end += 1) {
      const result = judgeLog([...text.slice(0, index), line.slice(0, end)]);
      assert.not(result.calls.some(({ verdict }) => verdict.kind === 'violation'));
      const behind = judgeLog([line.slice(end), ...text.slice(index + 1)]);
      assert.not(behind.calls.some(({ verdict }) => verdict.kind === 'violation'));
    }
  }
});

logs.run();
