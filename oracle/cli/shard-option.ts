// SPDX-License-Identifier: MIT
// --shard K/N of check and explore: part K of N, counted from 1 on the command line and from 0 inside.

import { InvalidArgumentError } from 'commander';
import { SHARDS_MAX } from '../check/shard.ts';

export const shardOption = (text: string): { readonly index: number; readonly of: number } => {
  const [, number, parts] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  const index = Number(number) - 1;
  const of = Number(parts);
  if (!(index >= 0 && index < of && of <= SHARDS_MAX)) {
    throw new InvalidArgumentError(
      `It must be K/N: part K of N, with K from 1 to N, and N at most ${SHARDS_MAX}.`,
    );
  }
  return { index, of };
};
