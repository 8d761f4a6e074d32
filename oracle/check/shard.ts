// SPDX-License-Identifier: MIT
// Parts of a campaign: shards take batches of its programs in turn, and together do the work of a single run.

export type Shard = {
  /** From 0, and less than `of`. */
  readonly index: number;
  readonly of: number;
};

/** The maximum number of parts: few enough to list them all. */
export const SHARDS_MAX = 999_999;

/** The position of a program in the campaign: its batch, and its index in that; both from 0. */
export type Position = { readonly batch: number; readonly index: number };

/** Whether the shard runs the batch; true without a shard. */
export const isOfShard = (batch: number, shard: Shard | undefined): boolean =>
  shard === undefined || batch % shard.of === shard.index;

/** The shard in the setting at `index`: rotated, so that short campaigns in many settings are shared too. */
export const shardOfSetting = ({ index, of }: Shard, setting: number): Shard => ({
  index: (index + setting) % of,
  of,
});
