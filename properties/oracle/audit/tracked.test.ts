// SPDX-License-Identifier: MIT
// docs/audit: small, made from its records, and C that compiles.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cFilesOf } from '../../../oracle/audit/c-files.ts';
import { renderedFiles } from '../../../oracle/audit/pages/rendered.ts';
import { canCompile } from '../../../oracle/audit/reproduce.ts';
import { readAudits } from '../../../oracle/cli/audit-folder.ts';
import { AUDITED_RELEASES } from '../../../oracle/emit/audited-releases.ts';
import { TRACKED } from '../../helpers/tracked-files.ts';

const run = promisify(execFile);

const FOLDER = 'docs/audit';
const MOST_BYTES = 2_500_000;

const IN_FOLDER = TRACKED.filter((name) => name.startsWith(`${FOLDER}/`));
const AUDITS = readAudits(FOLDER, (error) => {
  throw error;
});
const C_FILES = cFilesOf(AUDITS.audits);

const test = suite('docs/audit');

test('tracked files have at most 2.5 MB', () => {
  const bytes = IN_FOLDER.reduce((sum, name) => sum + statSync(name).size, 0);
  assert.ok(bytes > 0 && bytes <= MOST_BYTES, `${bytes} bytes`);
});

test('pages and C files are what the records render to: iommufd-spec audit --render makes them', () => {
  const texts = renderedFiles(AUDITS).map(({ name, text }) => [`${FOLDER}/${name}`, text] as const);
  const stale = texts.filter(([name, text]) => readFileSync(name, 'utf8') !== text);
  assert.equal(
    stale.map(([name]) => name),
    [],
  );
  const made = new Set<string>(texts.map(([name]) => name));
  assert.equal(
    IN_FOLDER.filter((name) => /\.[ch]$/.test(name) && !made.has(name)),
    [],
  );
});

test('each row has a C file that shows it in every release that has it', () => {
  assert.equal(
    AUDITS.audits.map(({ release }) => release),
    AUDITED_RELEASES,
  );
  const shown = new Map(C_FILES.map((file) => [file.id, file.shown.map(({ release }) => release)]));
  for (const { release, rows } of AUDITS.audits) {
    for (const { description } of rows) {
      assert.ok(shown.get(description.id)?.includes(release), `${description.id} in ${release}`);
    }
  }
});

/** The answers in a line of the table, in each release. */
const answersIn = (line: string): readonly (readonly [type1: string, iommufd: string])[] =>
  [...line.matchAll(/(?:IN_EACH\(|\] = \{ )([^,]+), ([^ )]+)/g)].map(([, one = '', other = '']) => [
    one,
    other,
  ]);

test('each call is in the table with the answers of both sides, which differ in something in each release', () => {
  for (const { id, text, shown } of C_FILES) {
    const lines = text.match(/^\t\{ ".*\},$/gm) ?? [];
    const calls = text.match(/\b(?:record|open_needed|record_number)\(/g) ?? [];
    assert.is(calls.length, lines.length, `${id}: calls and lines`);
    for (const index of shown.keys()) {
      const differing = lines.filter((line) => {
        const answers = answersIn(line.replace(/"(?:[^"\\]|\\.)*"/, ''));
        const [type1, iommufd] = answers[answers.length === 1 ? 0 : index] ?? [];
        return type1 !== iommufd;
      });
      assert.ok(
        differing.length > 0,
        `${id}: both sides give the same in ${shown[index]?.release}`,
      );
    }
  }
});

const compiles = (await canCompile())
  ? test
  : (name: string, body: () => Promise<void>): void => {
      process.stdout.write('  (skipped: there is no cc here)\n');
      test.skip(name, body);
    };

const inFolder = async (body: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'audit-rows-'));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const DEFINED = /^(?:static .*?|int |struct )\b(\w+)(?:\[\d*\]| \{|;| =|\()/gm;

/**
 * Includes the file with unique names for all that it defines, so that one compilation can have
 * many.
 */
const included = (path: string, text: string, index: number): readonly string[] => {
  const names = [...new Set([...text.matchAll(DEFINED)].map(([, name]) => name))];
  return [
    ...names.map((name) => `#define ${name} ${name}_of_${index}`),
    `#include "${path}"`,
    ...names.map((name) => `#undef ${name}`),
  ];
};

compiles('each row compiles without a warning', () =>
  inFolder(async (folder) => {
    const rows = IN_FOLDER.filter((name) => name.endsWith('.c'));
    assert.is(rows.length, C_FILES.length);
    const all = join(folder, 'all.c');
    const texts = rows.flatMap((name, index) =>
      included(resolve(name), readFileSync(name, 'utf8'), index),
    );
    const header = resolve(FOLDER, 'rows', 'audit.h');
    writeFileSync(all, [`#include "${header}"`, ...texts, ''].join('\n'));
    await run('cc', ['-Wall', '-Werror', '-fsyntax-only', all]);
  }),
);

/** Prints the release that a kernel is compared with; each side has one number per release. */
const CHOICE = `#include "audit.h"
static const struct call calls[] = {
	{ "call", { [LINUX_6_12_95] = { 1, 2 }, [LINUX_7_3_4] = { 3, 4 } } },
};
int main(int argc, char **argv)
{
	long type1 = atol(argv[2]), iommufd = atol(argv[3]);
	struct side sides[] = { { &type1, 1, 1 }, { &iommufd, 1, 1 } };

	puts(release_names[expected_release(sides, calls, COUNT(calls), atoi(argv[1]), argv[4])]);
	return argc != 5;
}
`;

compiles('the answers of a kernel are compared with those of its series, or of any release', () =>
  inFolder(async (folder) => {
    const program = join(folder, 'choice');
    writeFileSync(`${program}.c`, CHOICE);
    await run('cc', ['-I', join(FOLDER, 'rows'), '-o', program, `${program}.c`]);
    const chosen = async (...words: readonly string[]): Promise<string> =>
      (await run(program, [...words])).stdout.trim();
    assert.is(await chosen('3', '3', '4', '6.12.3-amd64'), '6.12.95');
    assert.is(await chosen('3', '1', '2', '7.3.0-rc1'), '7.3.4');
    assert.is(await chosen('3', '1', '2', '7.30.1'), '6.12.95');
    assert.is(await chosen('3', '3', '4', '6.1.12'), '7.3.4');
    assert.is(await chosen('3', '5', '6', '6.18.2'), '7.3.4');
    assert.is(await chosen('2', '1', '2', '6.12.95'), '7.3.4');
  }),
);

test.run();
