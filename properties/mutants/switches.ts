// SPDX-License-Identifier: MIT
// The switches of the instrumented copy: which mutant is on, what is reached, and a limit for programs that do not end.
// Loaded before the copy, whose code calls the two global functions that StrykerJS names.

/** Thrown where a program passed more switches than it may. */
export class Endless extends Error {}

let active = '';
let passed = 0;
let limit = Number.POSITIVE_INFINITY;
let reached: Set<string> | undefined;

const isActive = (id: string): boolean => {
  passed += 1;
  if (passed > limit) throw new Endless(`More than ${limit} switches were passed.`);
  return id === active;
};

const reach = (...ids: readonly string[]): void => {
  if (reached === undefined) return;
  for (const id of ids) reached.add(id);
};

Object.assign(globalThis, { stryMutAct_9fa48: isActive, stryCov_9fa48: reach });

/** Switches the mutant on; none with the empty id. */
export const switchOn = (id: string): void => {
  active = id;
};

/** Begins to count the switches that are passed; more than `most` end in Endless. */
export const countSwitches = (most: number = Number.POSITIVE_INFINITY): void => {
  passed = 0;
  limit = most;
};

/** How many were passed since. */
export const switchesPassed = (): number => passed;

/** What is reached from now on goes into the set. */
export const collectReached = (into: Set<string> | undefined): void => {
  reached = into;
};
