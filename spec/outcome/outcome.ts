// SPDX-License-Identifier: MIT
// An outcome is a reply that the specification allows, with the world that follows.

import { ERRNO } from '../abi/errno.ts';
import type { World } from '../state/world.ts';
import type { Segment } from '../terms/call.ts';
import type { Refused, Rule } from '../terms/rule.ts';
import type { DeviationId } from './deviations.ts';

/** A value that the kernel is free to choose. The judge takes it from the observation. */
export type Choice = {
  /** "an object id", "an IOVA", "a descriptor". */
  readonly what: string;
  /** Where an observation has it: in the result, or in memory, `width` bytes long. */
  readonly location:
    | { readonly in: 'result' }
    | { readonly in: 'memory'; readonly address: bigint; readonly width: 4 | 8 };
  /** The value that known kernels choose. */
  readonly preferred: bigint;
  /** Why the kernel may not choose a value; undefined if it may. `earlier` has the choices before this one. */
  readonly unfit: (value: bigint, earlier: readonly bigint[]) => string | undefined;
};

export type Reply = {
  readonly kind: 'reply';
  readonly rule: Rule;
  /** The call's result; -1 if it failed. */
  readonly result: number;
  /** 0 if it did not fail. */
  readonly errno: number;
  /** The bytes that the kernel writes to the caller's memory, with the preferred values of choices. */
  readonly writes: readonly Segment[];
  readonly world: World;
  /** Set if the release deviates from the contract with this reply. */
  readonly deviation?: DeviationId;
  /** Why it is not known whether the kernel may give this reply. */
  readonly unknown?: string;
  /** Bytes that the kernel writes, with unknown values. */
  readonly unknownBytes?: readonly { readonly address: bigint; readonly length: number }[];
  readonly choices?: Choices;
};

export type Choices = {
  readonly list: readonly Choice[];
  /** The world that follows, given the kernel's choices. The reply's own world has the preferred values. */
  readonly world: (chosen: readonly bigint[]) => World;
};

/** The call has no rules. State that it may have changed becomes untracked. */
export type Unspecified = {
  readonly kind: 'unspecified';
  readonly what: string;
  /** The call has rules, and the state that it depends on is not known: the verdict is unknown, not unspecified. */
  readonly doubtful?: true;
  /** The world that follows, given the observed errno and result, and the bytes at the argument after the call. */
  readonly world: (observed: {
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
  if (rule.errno === undefined)
    throw new Error(`${rule.id} is returned as a refusal and has no error.`);
  return { kind: 'reply', rule, result: -1, errno: ERRNO[rule.errno], writes, world };
};

/** The reply with values that the kernel chooses. */
export const withChoices = (
  { kind, rule, result, errno, writes, world }: Reply,
  choices: Choices,
): Reply => ({ kind, rule, result, errno, writes, world, choices });

/** The reply to a refusal that changed nothing. */
export const failedBy = ({ refused }: Refused, world: World): Reply => failed(refused, world);

/** As `failedBy`, with a reply of the other rule if either may refuse first. */
export const failuresBy = ({ refused, or }: Refused, world: World): readonly Reply[] =>
  or === undefined ? [failed(refused, world)] : [failed(refused, world), failed(or, world)];
