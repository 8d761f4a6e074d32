// SPDX-License-Identifier: MIT
// A long recording from a short one: its calls repeated, each round on descriptors that it opens and closes,
// so that every round is as legal as the first.

import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FIXTURES, readLines } from '../harness/recordings.ts';

/** Two mock domains, thousands of maps, checks of what they translate and how often pages are pinned. */
const SOURCE = '7.3.4-selftest.iommufd_mock_domain.two_domains.all_aligns.jsonl.gz';

type Line = { seq: number; pid: number; fd: number; path: string; call: string };

/** A close of every descriptor that the lines opened and left open. */
const closes = (lines: readonly Line[]): readonly Line[] => {
  const open = new Map<number, Line>();
  for (const line of lines) {
    if (line.call === 'open') open.set(line.fd, line);
    if (line.call === 'close') open.delete(line.fd);
  }
  return [...open.values()].map(({ seq, pid, fd, path }) => ({
    seq,
    pid,
    fd,
    path,
    call: 'close',
  }));
};

/** Writes a recording of at least `calls` calls, and says how many they are. */
export const writeLongRecording = async (path: string, calls: number): Promise<number> => {
  const [header = '', ...texts] = await readLines(join(FIXTURES, SOURCE));
  const lines = texts.map((text) => JSON.parse(text) as Line);
  const round = [...lines, ...closes(lines)];
  const rounds = Math.ceil(calls / round.length);
  const file = openSync(path, 'w');
  try {
    writeSync(file, `${header}\n`);
    for (let done = 0; done < rounds; done += 1) {
      const first = done * round.length;
      const text = round.map((line, index) => JSON.stringify({ ...line, seq: first + index }));
      writeSync(file, `${text.join('\n')}\n`);
    }
  } finally {
    closeSync(file);
  }
  return rounds * round.length;
};
