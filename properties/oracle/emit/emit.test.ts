// SPDX-License-Identifier: MIT
// The C files that emit writes of traces compile, need no other file, and are well formed.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { programs } from '../../../model/arbitrary.ts';
import { cProgram } from '../../../oracle/emit/c-program.ts';
import { emissionOf } from '../../../oracle/emit/emission.ts';
import { RefusedProgram } from '../../../oracle/emit/program-check.ts';
import { emissionText } from '../../../oracle/emit/text.ts';
import type { Trace } from '../../../oracle/trace/trace-file.ts';
import { type NamedTrace, namedTraces, traceOn } from '../../harness/emissions.ts';
import { SETTINGS } from '../../helpers/settings.ts';

const run = promisify(execFile);

const generated = (): readonly NamedTrace[] =>
  SETTINGS.flatMap((setting, index) =>
    fc.sample(programs(setting, 40), { numRuns: 2, seed: 23 + index }).map((program, nth) => ({
      name: `generated ${index}.${nth}`,
      trace: traceOn(setting, program),
    })),
  );

type NamedText = { readonly name: string; readonly trace: Trace; readonly text: string };

/** Examples have calls that the kernel subject refuses, and no C is written of them. */
const refused: string[] = [];

const files: readonly NamedText[] = [...namedTraces(), ...generated()].flatMap(
  ({ name, trace }) => {
    try {
      return [{ name, trace, text: cProgram(emissionOf(trace)) }];
    } catch (error) {
      if (!(error instanceof RefusedProgram)) throw error;
      refused.push(`${name}: ${error.why}`);
      return [];
    }
  },
);

/** The text without comments and literals. */
const bare = (text: string): string =>
  text
    .replaceAll(/\/\*.*?\*\//gs, '')
    .replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .replaceAll(/'.'/g, "''");

const PAIRS: readonly (readonly [string, string])[] = [
  ['{', '}'],
  ['(', ')'],
  ['[', ']'],
];

const isBalanced = (text: string): boolean => {
  const open: string[] = [];
  for (const symbol of text) {
    if (PAIRS.some(([opening]) => opening === symbol)) open.push(symbol);
    const closed = PAIRS.find(([, closing]) => closing === symbol);
    if (closed !== undefined && open.pop() !== closed[0]) return false;
  }
  return open.length === 0;
};

const emit = suite('emit');

emit('most examples are emitted', () => {
  assert.ok(refused.length * 10 < files.length, refused.join('\n'));
});

emit('every bracket is closed', () => {
  for (const { name, text } of files) assert.ok(isBalanced(bare(text)), name);
});

emit('no file of this machine is named but those that the program opens', () => {
  for (const { name, text } of files) {
    const paths = bare(text).match(/\/(?:home|tmp|root|usr|work)\b/g) ?? [];
    const named = text.match(/(?<!\\)"\/[^"\\]*"/g) ?? [];
    assert.equal(paths, [], name);
    const foreign = named.filter(
      (path) => !/^"\/(?:proc\/self\/status|dev\/(?:iommu|vfio\/.*))?"$/.test(path),
    );
    assert.equal(foreign, [], name);
  }
});

emit('each operation is printed, and the last one decides', () => {
  for (const { name, trace, text } of files) {
    const emission = emissionOf(trace);
    const reported = text.slice(text.indexOf('int main(')).match(/\breport(?:_open)?\("/g) ?? [];
    assert.is(reported.length, emission.program.length, name);
    assert.match(text, /\n\tint shown = is_same\(result, /, name);
    assert.is(emissionText(emission).match(/ {2}-> {2}/g)?.length, emission.program.length, name);
  }
});

emit(
  'what no reply shows is followed by a call that shows it, where a domain is a mock one',
  () => {
    const shown = namedTraces().filter(
      ({ name, trace }) => name === 'read-only-mapped-writable' || trace.failure?.kind === 'hidden',
    );
    const probed = shown.filter(({ trace }) =>
      emissionOf(trace).says.some((line) => line.includes('probes hidden state')),
    );
    assert.ok(probed.length > 0, `${shown.length} are hidden`);
    for (const { trace } of probed) {
      const { program } = emissionOf(trace);
      assert.ok(program.length > trace.operations.length);
    }
  },
);

const compiler = async (): Promise<string | undefined> => {
  try {
    await run('cc', ['--version']);
    return 'cc';
  } catch {
    return undefined;
  }
};

emit('every file compiles without a warning, where there is a compiler', async () => {
  const cc = await compiler();
  if (cc === undefined) {
    process.stdout.write(
      '  (skipped: there is no cc here, so that no emitted file was compiled)\n',
    );
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'properties-'));
  const waiting = [...files.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, { name, text }] = next;
      const file = join(folder, `${index}.c`);
      writeFileSync(file, text);
      await run(cc, ['-Wall', '-Werror', '-fsyntax-only', file]).catch((error: Error) => {
        throw new Error(`${name}: ${error.message}`);
      });
    }
  };
  try {
    await Promise.all(Array.from({ length: availableParallelism() }, work));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

emit.run();
