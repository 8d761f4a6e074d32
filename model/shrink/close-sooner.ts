// SPDX-License-Identifier: MIT
// The same program, ended sooner by closing one of its descriptors: a defect that several last
// calls show often shows at the last close of a file, too.

import type { Program, Value } from '../programs/program.ts';

/** At most so many calls at the end are replaced by one. */
const MOST_REPLACED = 3;

const DESCRIPTORS = ['result', 'out_access_fd'] as const;

const NAME = 'shut';

/** Values that may be descriptors; for ioctls the kind of an output is not known here. */
const descriptorsOf = (program: Program): readonly Value[] =>
  program.flatMap((operation): readonly Value[] => {
    const { label } = operation;
    if (operation.op === 'open' || operation.op === 'memfd')
      return [{ from: label, out: 'result' }];
    if (operation.op !== 'ioctl') return [];
    return DESCRIPTORS.map((out) => ({ from: label, out }));
  });

/** Each is shorter than the program by at least one call. */
export function* closedSooner(program: Program): Generator<Program> {
  const most = Math.min(MOST_REPLACED, program.length - 1);
  for (let replaced = most; replaced >= 2; replaced -= 1) {
    const kept = program.slice(0, -replaced);
    if (kept.some(({ label }) => label === NAME)) return;
    for (const fd of descriptorsOf(kept)) yield [...kept, { op: 'close', label: NAME, fd }];
  }
}
