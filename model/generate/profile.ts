// SPDX-License-Identifier: MIT
// The mix of calls of one program: how often calls of each kind are generated, and with how much
// care their values.

/** The subject of an operation. */
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

/** `Gen` is the generation context, which has its profile. */
export type ProfileOf<Gen> = {
  /** How much more often operations of a group are generated. */
  readonly weights: Readonly<Partial<Record<Group, number>>>;
  /** How many values in eight are likely to be valid. */
  readonly care: number;
  /** One operation in so many has an invalid field. */
  readonly invalidIn: number;
  readonly begin: (gen: Gen) => void;
};
