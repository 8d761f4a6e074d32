// SPDX-License-Identifier: MIT
// Recordings of real programs on real kernels: those in the fixtures, and those next to the checkout if they
// do; and how they are judged, line by line.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { judgeRecorded, startOf } from '../../oracle/judge/session.ts';
import { NO_VERDICTS, type Verdict, type VerdictCounts } from '../../oracle/judge/verdict.ts';
import { textOf } from '../../oracle/trace/line.ts';
import { linesOf } from '../../oracle/trace/lines.ts';
import { parseHeader, type RecordedCall, type StatedFacts } from '../../oracle/trace/recording.ts';
import { RecordingReader } from '../../oracle/trace/recording-reader.ts';
import type { World } from '../../spec/state/world.ts';
import { recordVerdict } from '../helpers/reached-rules.ts';

export const FIXTURES = join('properties', 'fixtures', 'recordings');

/** Next to the checkout; may be absent. */
export const BESIDE = join('..', 'shared', 'recordings');

/** What the specification covers: these fixtures of the kernel's selftests, and programs on the compatibility path or with devices' own files. */
const COVERED =
  /-(?:selftest\.(?:iommufd|iommufd_ioas|iommufd_mock_domain|vfio_compat_mock_domain)\.|(?:qemu|dpdk)\.compat\.|vfio\.vfio_pci_device_test\.)/;

export const isCovered = (name: string): boolean => COVERED.test(name);

export const recordingsIn = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.jsonl') || name.endsWith('.jsonl.gz'))
        .sort()
    : [];

/** One call of a recording, judged. */
export type JudgedLine = {
  readonly line: number;
  readonly text: string;
  readonly before: World;
  readonly recorded: RecordedCall;
  readonly verdict: Verdict;
};

export const readLines = async (path: string): Promise<readonly string[]> => {
  const lines: string[] = [];
  for await (const line of linesOf(path)) lines.push(textOf(path, line));
  return lines.filter((text) => text !== '');
};

/** Facts of the machines that the fixtures were recorded on, and of the programs, which the recordings do not state. */
export const FACTS_OF_FIXTURES: StatedFacts = {
  keepsCapabilities: true,
  memlock: 2 ** 40,
  dmaEntryLimit: 65_535,
  interrupts: { type1: true, iommufd: true },
  groupsInUse: [],
};

/** Every call of the lines, up to and including the first violation. */
export function* judgeLines(
  file: string,
  lines: readonly string[],
  stated: StatedFacts = {},
): Generator<JudgedLine> {
  const header = parseHeader(file, lines[0] ?? '');
  const reader = new RecordingReader(file, header);
  let before = startOf(header, stated);
  for (const [index, text] of lines.entries()) {
    if (index === 0) continue;
    const line = index + 1;
    const chunk = Buffer.from(text);
    const item = reader.take({ number: line, chunk, start: 0, end: chunk.length });
    if (item.kind !== 'call') continue;
    const { recorded } = item;
    const verdict = judgeRecorded(file, before, recorded);
    yield { line, text, before, recorded, verdict };
    if (verdict.kind === 'violation') return;
    before = verdict.world;
  }
}

export type Summary = {
  readonly counts: VerdictCounts;
  readonly calls: number;
  /** The calls without rules, and why unknown calls are not decided. */
  readonly unspecified: ReadonlySet<string>;
  readonly unknown: ReadonlySet<string>;
  /** "file:line: what was expected", for each violation. */
  readonly violations: readonly string[];
};

const describeViolation = (file: string, { line, text, verdict }: JudgedLine): string => {
  const rejected = verdict.kind === 'violation' ? verdict.rejected : [];
  const expected = rejected.map(
    ({ reply, differences }) =>
      `${reply.rule.id} ${JSON.stringify(differences, (_key, value) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value))}`,
  );
  return `${file}:${line}: ${text.slice(0, 300)}\n  ${expected.join('\n  ')}`;
};

/** Judges files one after the other. */
export const judgeFiles = async (folder: string, names: readonly string[]): Promise<Summary> => {
  const counts = { ...NO_VERDICTS };
  const unspecified = new Set<string>();
  const unknown = new Set<string>();
  const violations: string[] = [];
  let calls = 0;
  for (const name of names) {
    for (const judged of judgeLines(name, await readLines(join(folder, name)))) {
      const { verdict } = judged;
      calls += 1;
      counts[verdict.kind] += 1;
      recordVerdict(verdict);
      if (verdict.kind === 'unspecified') unspecified.add(verdict.what);
      if (verdict.kind === 'unknown') unknown.add(verdict.why);
      if (verdict.kind === 'violation') violations.push(describeViolation(name, judged));
    }
  }
  return { counts, calls, unspecified, unknown, violations };
};
