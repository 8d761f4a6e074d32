// Runs every suite with uvu, in one process and in a fixed order, so that what is covered and which rules are reached
// add up. Arguments select suites by a part of their path.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'uvu/run';

const SUFFIX = '.test.ts';
/** Looks at what the other suites reached. */
const LAST = join('spec', 'rules.test.ts');

const suites = (): readonly string[] => {
  const wanted = process.argv.slice(2);
  const found = readdirSync('properties', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(SUFFIX) && file !== LAST)
    .sort();
  if (wanted.length === 0) return [...found, LAST];
  return [...found, LAST].filter((file) => wanted.some((part) => file.includes(part)));
};

const compiled = (file: string): string =>
  join(process.cwd(), 'dist', 'properties', file.replace(/\.ts$/, '.js'));

await run(
  suites().map((file) => ({ name: file.slice(0, -SUFFIX.length), file: compiled(file) })),
  { bail: false },
);
