// SPDX-License-Identifier: MIT
// What one program is mostly about: how often calls of each kind are generated, and with how much care their values.

/** What an operation is about. */
export type Group =
  | 'table'
  | 'place'
  | 'compat'
  | 'domain'
  | 'access'
  | 'invalid'
  | 'memory'
  | 'device'
  | 'legacy'
  | 'other';

/** `Gen` is the context of generation, which knows its profile. */
export type ProfileOf<Gen> = {
  /** How much more often than else operations of a group are generated. */
  readonly weights: Readonly<Partial<Record<Group, number>>>;
  /** How many values in eight are generated so that they serve. */
  readonly care: number;
  /** One operation in so many has a field that is not as it should be. */
  readonly invalidIn: number;
  readonly begin: (gen: Gen) => void;
};
