// SPDX-License-Identifier: MIT
// A campaign in parts: shards take batches of its programs in turn, so that they do together what one run does alone.

export type Shard = {
  /** From 0, and less than `of`. */
  readonly index: number;
  readonly of: number;
};

/** A run has at most so many parts: whoever lists them all can do so at once. */
export const SHARDS_MAX = 999_999;

/** The position of a program in the campaign: its batch, and its index in that; both from 0. */
export type Position = { readonly batch: number; readonly index: number };

/** Whether the shard runs the batch; without shards every batch is run. */
export const isOfShard = (batch: number, shard: Shard | undefined): boolean =>
  shard === undefined || batch % shard.of === shard.index;

/** The shard's part of the campaign in the setting at `index`, so that short campaigns in many settings are shared, too. */
export const shardOfSetting = ({ index, of }: Shard, setting: number): Shard => ({
  index: (index + setting) % of,
  of,
});
