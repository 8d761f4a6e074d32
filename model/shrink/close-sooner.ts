// SPDX-License-Identifier: MIT
// The same program that ends sooner, by closing one of its descriptors: what several calls show at its end, the last
// close of a file often shows, too.

import type { Program, Value } from '../programs/program.ts';

/** So many calls at the end are tried to be replaced by one. */
const MOST_REPLACED = 3;

const DESCRIPTORS = ['result', 'out_access_fd'] as const;

const NAME = 'shut';

/** What may be a descriptor; of what an ioctl gave nothing else is known here. */
const descriptorsOf = (program: Program): readonly Value[] =>
  program.flatMap((operation): readonly Value[] => {
    const { label } = operation;
    if (operation.op === 'open' || operation.op === 'memfd')
      return [{ from: label, out: 'result' }];
    if (operation.op !== 'ioctl') return [];
    return DESCRIPTORS.map((out) => ({ from: label, out }));
  });

/** Each shorter than the program by a call at least. */
export function* closedSooner(program: Program): Generator<Program> {
  const most = Math.min(MOST_REPLACED, program.length - 1);
  for (let replaced = most; replaced >= 2; replaced -= 1) {
    const kept = program.slice(0, -replaced);
    if (kept.some(({ label }) => label === NAME)) return;
    for (const fd of descriptorsOf(kept)) yield [...kept, { op: 'close', label: NAME, fd }];
  }
}
