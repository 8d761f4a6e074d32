// SPDX-License-Identifier: MIT
// Makes the instrumented copy: one build of everything a campaign on the emulator needs, in which each mutant of the
// emulator is a switch.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { type Place, whyIgnored } from './ignored.ts';
import type { Mutant } from './mutant.ts';

const run = promisify(execFile);

/** What a campaign needs of the build. */
const COPIED = ['spec', 'model', 'oracle', 'properties'];

const silent = (): void => {};
const aloud = (words: string): void => {
  process.stderr.write(`${words}\n`);
};
const LOGGER: ConstructorParameters<typeof Instrumenter>[0] = {
  isTraceEnabled: () => false,
  isDebugEnabled: () => false,
  isInfoEnabled: () => false,
  isWarnEnabled: () => true,
  isErrorEnabled: () => true,
  isFatalEnabled: () => true,
  trace: silent,
  debug: silent,
  info: silent,
  warn: aloud,
  error: aloud,
  fatal: aloud,
};

const OPTIONS: Parameters<Instrumenter['instrument']>[1] = {
  plugins: null,
  excludedMutations: [],
  noHeader: true,
  ignorers: [{ shouldIgnore: (path) => whyIgnored(path as unknown as Place) }],
};

export type SourceFile = { readonly name: string; readonly content: string };

export type Instrumented = {
  readonly files: readonly SourceFile[];
  readonly mutants: readonly Mutant[];
  /** How many were left out, by the reason. */
  readonly ignored: ReadonlyMap<string, number>;
};

type Position = { readonly line: number; readonly column: number };

const textBetween = (lines: readonly string[], start: Position, end: Position): string =>
  lines
    .slice(start.line, end.line + 1)
    .map((line, index, all) => {
      const upTo = index === all.length - 1 ? end.column : line.length;
      return line.slice(index === 0 ? start.column : 0, upTo).trim();
    })
    .join(' ');

/** The files with every mutant as a switch, and what the mutants are. */
export const instrument = async (sources: readonly SourceFile[]): Promise<Instrumented> => {
  const files = sources.map((source) => ({ ...source, mutate: true as const }));
  const result = await new Instrumenter(LOGGER).instrument(files, OPTIONS);
  const lines = new Map(sources.map(({ name, content }) => [name, content.split('\n')]));
  const seen = new Map<string, number>();
  const ignored = new Map<string, number>();
  const mutants: Mutant[] = [];
  for (const { id, fileName, mutatorName, location, replacement, statusReason } of result.mutants) {
    if (statusReason !== undefined) {
      ignored.set(statusReason, (ignored.get(statusReason) ?? 0) + 1);
      continue;
    }
    const { start, end } = location;
    const original = textBetween(lines.get(fileName) ?? [], start, end);
    const shown = replacement.replace(/\s*\n\s*/g, ' ');
    const name = JSON.stringify([fileName, mutatorName, original, shown]);
    const occurrence = (seen.get(name) ?? 0) + 1;
    seen.set(name, occurrence);
    mutants.push({
      id,
      file: fileName,
      line: start.line + 1,
      mutator: mutatorName,
      original,
      replacement: shown,
      occurrence,
    });
  }
  return { files: result.files, mutants, ignored };
};

/** Compiles instrumented files over a copy of the build of the project at `root`, in the folder `to`. */
export const buildCopy = async (
  root: string,
  to: string,
  files: readonly SourceFile[],
): Promise<void> => {
  rmSync(to, { recursive: true, force: true });
  for (const folder of COPIED) {
    const filter = (path: string): boolean => !path.endsWith('.map');
    cpSync(join(root, 'dist', folder), join(to, folder), { recursive: true, filter });
  }
  for (const { name, content } of files) {
    const path = join(to, 'source', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  const options = {
    ...compilerOptions,
    noCheck: true,
    sourceMap: false,
    outDir: '.',
    rootDir: 'source',
  };
  writeFileSync(
    join(to, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, include: ['source'], exclude: [] }),
  );
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  await run(process.execPath, [join(dirname(typescript), 'bin', 'tsc'), '-p', to]);
};
