// SPDX-License-Identifier: MIT
// The generators as a library, `iommufd-spec/generate`: programs for fast-check, and the function
// that runs them on a machine.

export { type GenerateOptions, type ProbeOptions, programs } from './arbitrary.ts';
export type { PathsOfCampaign } from './generate/paths.ts';
export { type Machine, MachineDied } from './machine/machine.ts';
export { ARENA_BASE, REGIONS, type Region } from './programs/arena.ts';
export { startOfProgram } from './programs/builder.ts';
export {
  type ArenaOffset,
  type Argument,
  LAYOUTS,
  type Label,
  type Operation,
  type Program,
  type ResultOf,
  type Value,
  type WordsInMemory,
} from './programs/program.ts';
export { runProgram, type Step, stepsOfProgram } from './programs/run.ts';
