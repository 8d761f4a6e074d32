// SPDX-License-Identifier: MIT
// The form of the rules: their ids, names, texts and sources.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NATIVE_PARTS } from '../../spec/parts-met.ts';
import { isRuleOf, releasesOfPart } from '../../spec/parts-used.ts';
import { ALL_PARTS, ALL_RULES, isRuleId, type RuleId } from '../../spec/rules.ts';
import { RELEASE_NAMES, releaseOf } from '../../spec/terms/releases.ts';

const forms = suite('forms of rules');

const nameOf = (id: string): string => id.slice(id.indexOf('/') + 1);

forms('an id is the id of a part and a name there, in lower case', () => {
  const wrong = ALL_RULES.filter(
    ({ id, part }) =>
      !/^[a-z0-9]+(-[a-z0-9]+)*\/[a-z0-9]+(-[a-z0-9]+)*$/.test(id) || !id.startsWith(`${part.id}/`),
  );
  assert.equal(wrong, []);
});

forms('every rule has an id of its own, and every part an id and a title', () => {
  assert.is(new Set(ALL_RULES.map(({ id }) => id)).size, ALL_RULES.length);
  assert.is(new Set(ALL_PARTS.map(({ id }) => id)).size, ALL_PARTS.length);
  assert.is(new Set(ALL_PARTS.map(({ title }) => title)).size, ALL_PARTS.length);
});

forms('a misspelt citation does not compile', () => {
  // @ts-expect-error: the rule is named in the plural.
  const misspelt: RuleId = 'ioas-map/unknown-flag';
  assert.not.ok(isRuleId(misspelt));
  const cited: RuleId = 'ioas-map/unknown-flags';
  assert.ok(isRuleId(cited));
});

const WORDS = 25;

forms('a text is one sentence or two, of at most 25 words', () => {
  const wrong = ALL_RULES.filter(
    ({ says }) =>
      !/^\w.*[^.]\.$/.test(says) ||
      says.split(/\s+/).length > WORDS ||
      says.split(/[.;] /).length > 3,
  );
  assert.equal(
    wrong.map(({ id, says }) => `${id}: ${says}`),
    [],
  );
});

forms('a text says what no other rule of the part says in the same release', () => {
  for (const { id, rules } of ALL_PARTS) {
    for (const release of RELEASE_NAMES) {
      const texts = rules
        .filter((rule) => isRuleOf(releaseOf(release), rule))
        .map(({ says }) => says);
      assert.is(new Set(texts).size, texts.length, `${id} in ${release}`);
    }
  }
});

forms('refusals of the same text and error have the same name', () => {
  const names = new Map<string, string>();
  const wrong = ALL_RULES.filter(({ id, errno, says }) => {
    if (errno === undefined) return false;
    const key = `${errno}: ${says}`;
    const name = names.get(key) ?? nameOf(id);
    names.set(key, name);
    return name !== nameOf(id);
  });
  assert.equal(
    wrong.map(({ id, says }) => `${id}: ${says}`),
    [],
  );
});

/** Names that are not used, each with the one to use for what it would mean. */
const OTHER_NAMES: readonly (readonly [RegExp, string])[] = [
  [/\b(no-length|no-size|zero-size|empty-length)\b/, 'zero-length'],
  [/overflow|too-great|\bends?-wraps?\b/, 'wraps; u64-max for a value that is U64_MAX'],
  [/too-fine|aligned\b(?<!misaligned)|not-whole\b/, 'misaligned'],
  [/^fault$|unreadable/, 'struct-fault'],
  [/unanswered|answer|unwritable|value-fault/, 'reply-fault'],
  [/not-open|bad-file|bad-fd/, 'bad-descriptor'],
  [/unknown-(number|call|command)/, 'unknown-ioctl'],
  [/cannot-track/, 'no-dirty-tracking'],
  [/\btells?\b|\btold\b/, 'reports'],
  [/version\d/, 'v1, v2'],
  [/mediated/, 'mdev'],
  [/register/, 'bar'],
  [/seen/, 'missed'],
  [/too-low|too-high/, 'too-small, too-large'],
  [/\bmakes\b/, 'allocates for ALLOC calls, creates for others'],
  [/address-(taken|odd)|invalid-address/, 'vaddr-invalid'],
  [/uncertain|forgotten/, 'untracked'],
  [/busy/, 'in-use; group-open'],
  [/releases\b/, 'unpins'],
];

forms('names that mean the same are the same', () => {
  const wrong = ALL_RULES.flatMap(({ id }) =>
    OTHER_NAMES.filter(([name]) => name.test(nameOf(id))).map(([, use]) => `${id}: use ${use}`),
  );
  assert.equal(wrong, []);
});

const KERNEL_FILE = /\b(?:drivers|mm|include|fs|kernel)\/[\w/-]+\.[ch]\b/;
const MANUAL_PAGE = /\b\w+\([123]\)/;

forms('every rule names a file of the kernel or a manual page as its source', () => {
  const wrong = ALL_RULES.filter(
    ({ source }) => !KERNEL_FILE.test(source) && !MANUAL_PAGE.test(source),
  );
  assert.equal(
    wrong.map(({ id, source }) => `${id}: ${source}`),
    [],
  );
});

forms('positions count the rules of a part from 1', () => {
  for (const { rules } of ALL_PARTS) {
    assert.equal(
      rules.map(({ position }) => position),
      [...rules.keys()].map((index) => index + 1),
    );
  }
});

forms('a call that one release does not have is known as such, by the title of its part', () => {
  const titled = (title: string) => ({ title });
  assert.equal(releasesOfPart(titled('IOMMU_IOAS_MAP_FILE')), ['7.2.13', '7.3.4']);
  assert.equal(releasesOfPart(titled('IOMMU_IOAS_MAP')), undefined);
  for (const [name, id] of Object.entries(NATIVE_PARTS)) {
    assert.is(ALL_PARTS.find((part) => part.id === id)?.title, name);
  }
});

const filesIn = (folder: string, ending: RegExp): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file))
    .map((file) => join(folder, file));

const CODE = ['spec', 'model', 'oracle', 'properties'].flatMap((folder) =>
  filesIn(folder, /\.ts$/),
);

forms('every table of rules is listed', () => {
  const tables = CODE.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/const (\w+) = rulesOf\(/g)].map(([, name]) => name),
  );
  assert.is(new Set(tables).size, ALL_PARTS.length);
});

/** Generated documents are as old as their last rendering. */
const DOCUMENTS = ['README.md', ...filesIn('docs', /\.md$/)].filter(
  (file) => !file.startsWith(join('docs', 'audit')),
);

const CITATION = new RegExp(
  `(?<![\\w/.-])(?:${ALL_PARTS.map(({ id }) => id).join('|')})/[a-z][a-z0-9-]+(?![\\w.-]*/)`,
  'g',
);

forms('texts, too, cite only rules that there are', () => {
  const wrong = [...CODE, ...DOCUMENTS].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => !/ from '/.test(line))
      .flatMap((line) => [...line.matchAll(CITATION)].map(([id]) => id))
      .filter((id) => !isRuleId(id) && id !== 'ioas-map/unknown-flag')
      .map((id) => `${file}: ${id}`),
  );
  assert.equal(wrong, []);
});

forms.run();
