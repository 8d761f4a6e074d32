// SPDX-License-Identifier: MIT
// The data to emit: a program with its observations, and its failure as text.

import type { Program } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { TracedStep } from '../trace/step-json.ts';

export type Emission = {
  readonly setting: Setting;
  readonly base: bigint;
  readonly program: Program;
  /** What each operation gave; the last one is what is to be shown. Nothing of an operation that was not run. */
  readonly steps: readonly (TracedStep | undefined)[];
  /** The failure as lines, for the head of the file. */
  readonly says: readonly string[];
};
