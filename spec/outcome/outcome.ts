// SPDX-License-Identifier: MIT
// An outcome is a reply that the specification allows, with the world that follows.

import { ERRNO } from '../abi/errno.ts';
import type { World } from '../state/world.ts';
import type { Segment } from '../terms/call.ts';
import type { Refused, Rule } from '../terms/rule.ts';
import type { DeviationId } from './deviations.ts';

/** Something that the kernel may choose; the judge reads off what it chose. */
export type Choice = {
  /** "an object id", "an IOVA", "a descriptor". */
  readonly what: string;
  /** Where the observation has it: the call's result, or a field in memory of that width in bytes. */
  readonly seen:
    | { readonly in: 'result' }
    | { readonly in: 'memory'; readonly address: bigint; readonly width: 4 | 8 };
  /** What the kernels that we know choose. */
  readonly preferred: bigint;
  /** Why a value is none that may be chosen; undefined where it may. `earlier` are the choices before it. */
  readonly unfit: (value: bigint, earlier: readonly bigint[]) => string | undefined;
};

export type Reply = {
  readonly kind: 'reply';
  readonly rule: Rule;
  /** The call's result; -1 where it failed. */
  readonly result: number;
  /** 0 where it did not fail. */
  readonly errno: number;
  /** What the kernel writes to the caller's memory. Places of choices hold what is preferred. */
  readonly writes: readonly Segment[];
  readonly world: World;
  /** The release answers so although the contract says otherwise. */
  readonly deviation?: DeviationId;
  /** Not known to be right: why an observation of this reply cannot be judged. */
  readonly unknown?: string;
  /** Bytes that the kernel writes and whose values are not known. */
  readonly unknownBytes?: readonly { readonly address: bigint; readonly length: number }[];
  readonly choices?: Choices;
};

export type Choices = {
  readonly list: readonly Choice[];
  /** The world that follows once it is known what was chosen; the reply's own where all is as preferred. */
  readonly world: (chosen: readonly bigint[]) => World;
};

/** The specification says nothing of this call; the world has untracked what it may have changed. */
export type Unspecified = {
  readonly kind: 'unspecified';
  readonly what: string;
  /** The call is specified, and what it depends on is not known: it counts as unknown, not as unspecified. */
  readonly doubtful?: true;
  /** The world that follows, given what was seen: whether it failed, and the argument's bytes after it. */
  readonly world: (seen: {
    readonly errno: number;
    readonly result: number;
    readonly after: Uint8Array;
  }) => World;
};

export type Outcome = Reply | Unspecified;

export const succeeded = (
  rule: Rule,
  world: World,
  writes: readonly Segment[] = [],
  result = 0,
): Reply => ({ kind: 'reply', rule, result, errno: 0, writes, world });

export const failed = (rule: Rule, world: World, writes: readonly Segment[] = []): Reply => {
  if (rule.errno === undefined) throw new Error(`${rule.id} refuses and names no error.`);
  return { kind: 'reply', rule, result: -1, errno: ERRNO[rule.errno], writes, world };
};

/** A reply of which the kernel chooses a part. */
export const withChoices = (
  { kind, rule, result, errno, writes, world }: Reply,
  choices: Choices,
): Reply => ({ kind, rule, result, errno, writes, world, choices });

/** The reply to a refusal that changed nothing. */
export const failedBy = ({ refused }: Refused, world: World): Reply => failed(refused, world);

/** As `failedBy`, with the other rule where either may come first. */
export const failuresBy = ({ refused, or }: Refused, world: World): readonly Reply[] =>
  or === undefined ? [failed(refused, world)] : [failed(refused, world), failed(or, world)];
