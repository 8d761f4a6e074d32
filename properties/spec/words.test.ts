// SPDX-License-Identifier: MIT
// Code, messages, rules and documents use the glossary's words. A failure names the file, the line and the word to use.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UNUSED_WORDS } from '../helpers/unused-words.ts';

const READ =
  /^(?:(?:spec|model|oracle|properties|docs|\.ci)\/.*|README\.md|CONTRIBUTING\.md)(?<=\.ts|\.md|\.sh|\.ya?ml|\.[ch]|\/equivalents\/\w+\.json|\.ci\/run)$/;
/** The glossary, the list and this test have the words themselves; the page of changes is a record of an earlier run. */
const NOT_READ =
  /^(?:docs\/(?:glossary\.md|audit\/6\.12\.95-7\.3\.4\.md)|properties\/helpers\/unused-words\.ts|properties\/spec\/words\.test\.ts|properties\/fixtures\/.*)$/;

/** Lines in which such a word is right: a part of each line, by file. */
const RIGHT: Readonly<Record<string, readonly string[]>> = {
  'properties/helpers/layers.ts': ["folder: 'spec/iopt', holds: "],
  'properties/oracle/audit/record.test.ts': ['/version 2 is not supported/'],
  'properties/runner/pool.test.ts': ['no such thing'],
  'properties/spec/rule-forms.test.ts': [
    '/address-(taken|odd)|invalid-address/',
    '/uncertain|forgotten/',
  ],
};

const wordsOf = (line: string): string =>
  line
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();

/** The maximum number that a failure lists. */
const NAMED = 40;

const found = (file: string, text: string): readonly string[] =>
  text.split('\n').flatMap((line, index) => {
    if (RIGHT[file]?.some((part) => line.includes(part)) === true) return [];
    const words = wordsOf(line);
    return UNUSED_WORDS.flatMap(({ pattern, instead, except }) => {
      const match = pattern.exec(words);
      return match === null || except?.test(words) === true
        ? []
        : [`${file}:${index + 1}: "${match[0]}": ${instead}`];
    });
  });

const test = suite('words');

test('no code, message, rule or document has a word that the glossary replaces', () => {
  const files = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0');
  const read = files.filter((file) => READ.test(file) && !NOT_READ.test(file));
  assert.ok(read.length > 500, `${read.length}`);
  const all = read.flatMap((file) => [
    ...found(file, file),
    ...found(file, readFileSync(file, 'utf8')),
  ]);
  assert.is(all.length, 0, `${all.slice(0, NAMED).join('\n')}\n${all.length} in all`);
});

test('every exception is needed', () => {
  for (const [file, parts] of Object.entries(RIGHT)) {
    const lines = readFileSync(file, 'utf8').split('\n');
    for (const part of parts) {
      const line = lines.find((text) => text.includes(part)) ?? '';
      assert.is.not(found('', line).length, 0, `${file}: ${part}`);
    }
  }
});

test('the words of an identifier are found', () => {
  for (const line of ['const lookAtTold = 1;', 'in-kernel user', 'the pages that it holds']) {
    assert.is.not(found('a.ts', line).length, 0, line);
  }
  assert.equal(found('a.ts', 'a probe, a query and `unfold`; it stands for a page'), []);
});

test.run();
