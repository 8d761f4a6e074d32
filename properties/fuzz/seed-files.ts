// SPDX-License-Identifier: MIT
// The files that are damaged: real traces and recordings, syzkaller programs, and a report and an exploration that are made for it.

import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { runCommandLine } from '../../oracle/cli/command-line.ts';

export const KINDS = ['trace', 'recording', 'report', 'exploration', 'syz'] as const;

export type Kind = (typeof KINDS)[number];

export type SeedFile = { readonly kind: Kind; readonly name: string; readonly bytes: Uint8Array };

const FIXTURES = join('properties', 'fixtures');

/** Longer ones say nothing more, and take long. */
const MOST_BYTES = 40_000;

const filesOf = (kind: Kind, folder: string): readonly SeedFile[] =>
  readdirSync(join(FIXTURES, folder))
    .filter((name) => /\.(jsonl|jsonl\.gz|syz)$/.test(name))
    .sort()
    .map((name) => {
      const read = readFileSync(join(FIXTURES, folder, name));
      const bytes = name.endsWith('.gz') ? gunzipSync(read) : read;
      return { kind, name: name.replace(/\.gz$/, ''), bytes };
    })
    .filter(({ bytes }) => bytes.length <= MOST_BYTES);

/** A report of a small campaign, and a small exploration; what the verbs print goes where `process.stdout` does. */
const madeFiles = async (): Promise<readonly SeedFile[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'iommufd-spec-fuzz-'));
  const report = join(folder, 'report.json');
  const saved = join(folder, 'saved.bin');
  const where = ['--platform', 'mock', '--release', '7.3.4'];
  await runCommandLine(['check', '--runs', '4', '--seed', '1', '--report', report, ...where]);
  const bounds = ['--depth', '2', '--release', '7.3.4', '--save', saved];
  await runCommandLine(['explore', ACTIONS_OPTION, 'native', ...bounds]);
  return [
    { kind: 'report', name: 'report.json', bytes: readFileSync(report) },
    { kind: 'exploration', name: 'saved.bin', bytes: readFileSync(saved) },
  ];
};

const ACTIONS_OPTION = '--actions';

export const seedFiles = async (): Promise<readonly SeedFile[]> => [
  ...filesOf('trace', 'kernel'),
  ...filesOf('recording', 'violations'),
  ...filesOf('recording', 'recordings'),
  ...filesOf('recording', 'followed'),
  ...filesOf('syz', 'syz'),
  ...(await madeFiles()),
];
