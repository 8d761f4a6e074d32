// A defect of the emulator with the shortest program that shows it.

import type { FaultName } from '../../model/emulator/faults.ts';
import type { Operation } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';

export type ShownFault = {
  readonly fault: FaultName;
  readonly setting: Setting;
  /** The shortest program that shows it, as far as is known. */
  readonly program: readonly Operation[];
};
