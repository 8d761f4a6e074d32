// SPDX-License-Identifier: MIT
// A defect of the emulator with the shortest program that shows it.

import type { DefectName } from '../../model/emulator/defects.ts';
import type { Operation } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';

export type ShownDefect = {
  readonly defect: DefectName;
  readonly setting: Setting;
  /** The shortest program that shows it, as far as is known. */
  readonly program: readonly Operation[];
};
