// SPDX-License-Identifier: MIT
// Damaged recordings: lines missing, doubled or moved, a path of another file, mappings or bytes
// missing. Data that a recorder or a file lost is never blamed on the kernel: reading ends with the
// line, or the verdict is unknown.

import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeText } from '../../../oracle/judge/judge-text.ts';
import type { JudgedCall } from '../../../oracle/judge/verdict.ts';
import { BadInput } from '../../../oracle/trace/bad-input.ts';
import { FIXTURES, readLines, recordingsIn } from '../../harness/recordings.ts';

type Line = Readonly<Record<string, unknown>>;

type Judged = { readonly calls: readonly JudgedCall[]; readonly error: BadInput | undefined };

const judged = (lines: readonly Line[]): Judged => {
  const calls: JudgedCall[] = [];
  try {
    for (const call of judgeText(lines.map((line) => JSON.stringify(line)).join('\n'))) {
      calls.push(call);
    }
    return { calls, error: undefined };
  } catch (error) {
    assert.instance(error, BadInput, `${error}`);
    return { calls, error: error as BadInput };
  }
};

const FOLLOWED = join('properties', 'fixtures', 'followed');

const linesOfFile = async (path: string): Promise<readonly Line[]> =>
  (await readLines(path)).map((text) => JSON.parse(text));

/**
 * Short recordings of both versions, among them some with maps, several processes, several
 * descriptors and cut structs.
 */
const recordings = async (): Promise<readonly (readonly Line[])[]> => {
  const found: (readonly Line[])[] = [];
  for (const folder of [FIXTURES, FOLLOWED]) {
    for (const name of recordingsIn(folder)) {
      const lines = await linesOfFile(join(folder, name));
      if (lines.length <= 80) found.push(lines);
    }
  }
  assert.ok(found.length > 80, `${found.length}`);
  return found.filter((_, index) => index % 5 === 0);
};

const damage = suite('damaged recordings');

/** No verdict may be a violation, and an error has the expected line. */
const held = (lines: readonly Line[], what: string): Judged => {
  const result = judged(lines);
  const violation = result.calls.find(({ verdict }) => verdict.kind === 'violation');
  assert.is(violation, undefined, `${what}: a violation in line ${violation?.line}`);
  return result;
};

const isOfOneProcess = (lines: readonly Line[]): boolean =>
  lines.slice(1).every(({ pid }) => pid === lines[1]?.pid);

damage('a missing line is noticed at the next line of its process', async () => {
  let missed = 0;
  for (const lines of await recordings()) {
    for (let index = 1; index < lines.length; index += 4) {
      const rest = lines.toSpliced(index, 1);
      const { error } = held(rest, `without line ${index + 1}`);
      const next = rest.findIndex(({ pid }, at) => at >= index && pid === lines[index]?.pid);
      if (next < 0) continue;
      // A child in a recording of version 1 may begin with any number that its parent had.
      if (!isOfOneProcess(lines) && error === undefined) continue;
      // Or a child continues from a number that its parent has not reached.
      assert.ok(
        error !== undefined && error.line > index && error.line <= next + 1,
        error?.message,
      );
      assert.match(error?.message ?? '', /missing before this one|was never opened/);
      missed += 1;
    }
  }
  assert.ok(missed > 100, `${missed}`);
});

damage('a line that is there twice, or before the one that it follows, is an error', async () => {
  for (const lines of await recordings()) {
    for (let index = 1; index < lines.length - 1; index += 5) {
      const line = lines[index] as Line;
      const twice = held(lines.toSpliced(index, 0, line), `line ${index + 1} twice`);
      assert.is(twice.error?.line, index + 2);
      assert.match(twice.error?.message ?? '', /there twice, or is not in its place/);
      if (lines[index + 1]?.pid !== line.pid) continue;
      const swapped = lines.toSpliced(index, 2, lines[index + 1] as Line, line);
      assert.is(held(swapped, `line ${index + 1} moved`).error?.line, index + 1);
    }
  }
});

/** As if the recorder had missed the line. */
const notShown = (lines: readonly Line[], index: number): readonly Line[] => {
  const gone = lines[index] as Line;
  return lines
    .toSpliced(index, 1)
    .map((line, at) =>
      at >= index && line.pid === gone.pid ? { ...line, seq: Number(line.seq) - 1 } : line,
    );
};

damage(
  'a descriptor whose open is not shown was passed: calls that depend on it are unknown',
  async () => {
    let unknown = 0;
    for (const lines of await recordings()) {
      for (const [index, line] of lines.entries()) {
        if (line.call !== 'open') continue;
        const { calls } = held(notShown(lines, index), `without the open of line ${index + 1}`);
        if (calls.some(({ verdict }) => verdict.kind === 'unknown')) unknown += 1;
      }
    }
    assert.ok(unknown > 20, `${unknown}`);
  },
);

damage('a descriptor that is opened again without having been closed is an error', async () => {
  let met = 0;
  for (const lines of await recordings()) {
    for (const [index, line] of lines.entries()) {
      if (line.call !== 'close') continue;
      const again = lines.findIndex(
        ({ pid, fd }, at) => at > index && pid === line.pid && fd === line.fd,
      );
      if (lines[again]?.call !== 'open') continue;
      const { error } = judged(notShown(lines, index));
      assert.is(error?.line, again);
      assert.match(error?.message ?? '', /the line of its close is missing$/);
      met += 1;
    }
  }
  assert.ok(met > 5, `${met}`);
});

const PATHS = [
  '/dev/iommu',
  '/dev/vfio/vfio',
  '/dev/vfio/4',
  '/dev/vfio/devices/vfio0',
  '/dev/null',
];

damage('a path that is not that of the descriptor is an error of its line', async () => {
  for (const lines of await recordings()) {
    for (let index = 2; index < lines.length; index += 7) {
      const line = lines[index] as Line;
      if (line.call === 'open' || !PATHS.includes(`${line.path}`)) continue;
      for (const path of PATHS.filter((other) => other !== line.path)) {
        const { error } = held(lines.with(index, { ...line, path }), path);
        assert.is(error?.line, index + 1);
        assert.match(error?.message ?? '', /^recording:\d+: "path" is "\/dev/);
      }
    }
  }
});

damage('a path to a node that is gone is the same path', async () => {
  for (const lines of await recordings()) {
    const gone = lines.map((line) =>
      line.path === undefined || line.call === 'open'
        ? line
        : { ...line, path: `${line.path} (deleted)` },
    );
    assert.is(held(gone, 'gone').error, undefined);
  }
});

const withoutMappings = (line: Line): Line => {
  const { vmas, ...rest } = line;
  return line.call === 'exec' ? { ...rest, vmas } : rest;
};

damage(
  'a map whose mappings are not shown is unknown, or as it is whatever is mapped',
  async () => {
    let unknown = 0;
    let same = 0;
    for (const lines of await recordings()) {
      const whole = judged(lines);
      const without = held(lines.map(withoutMappings), 'no vmas');
      assert.is(without.error, undefined);
      without.calls.forEach(({ verdict, line = 0 }, index) => {
        if (lines[line - 1]?.vmas === undefined) return;
        if (verdict.kind === 'unknown') {
          unknown += 1;
          assert.match(verdict.why, /does not show the mappings|does not say/);
          return;
        }
        same += 1;
        const other = whole.calls[index]?.verdict;
        assert.is(verdict.kind, other?.kind, `line ${line}`);
        if (verdict.kind === 'conforms' && other?.kind === 'conforms') {
          assert.is(verdict.rule, other.rule);
        }
      });
    }
    assert.ok(unknown > 10 && same > 5, `${unknown} unknown, ${same} the same`);
  },
);

damage(
  'a struct that is cut is unknown, judged as far as it is read, or an error of its line',
  async () => {
    for (const lines of await recordings()) {
      for (let index = 2; index < lines.length; index += 3) {
        const line = lines[index] as Line;
        const before = String(line.in ?? '');
        for (const bytes of [0, 2, 4, 11, before.length / 2 - 1]) {
          if (bytes < 0 || bytes * 2 >= before.length || line.out === undefined) continue;
          const cut = {
            ...line,
            in: before.slice(0, bytes * 2),
            out: String(line.out).slice(0, bytes * 2),
          };
          held(lines.with(index, cut), `line ${index + 1} with ${bytes} bytes`);
        }
      }
    }
  },
);

damage('a recording with nothing but its header is cut', () => {
  const header = {
    format: 'iommufd-recording',
    version: 1,
    release: '7.3.4',
    arch: 'x86-64',
    pageSize: 4096,
    privileged: true,
    platform: { name: 'mock' },
  };
  assert.match(judged([header]).error?.message ?? '', /^recording:1: .*there is only its header$/);
});

damage.run();
