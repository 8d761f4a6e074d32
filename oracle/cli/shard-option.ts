// --shard K/N of check and explore: part K of N, counted from 1 on the command line and from 0 inside.

import { InvalidArgumentError } from 'commander';

export const shardOption = (text: string): { readonly index: number; readonly of: number } => {
  const [, number, of] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const index = Number(number) - 1;
  if (!(index >= 0 && index < Number(of))) {
    throw new InvalidArgumentError('It must be K/N: part K of N, with K from 1 to N.');
  }
  return { index, of: Number(of) };
};
