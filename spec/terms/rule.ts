// SPDX-License-Identifier: MIT
// A rule is one numbered statement of the specification. Every reply that the specification allows has its rule.

import type { ErrnoName } from '../abi/errno.ts';
import type { Behaviour } from './changes.ts';

/** A group of rules: those of a call, or of an operation that several calls share. */
export type Part = {
  /** "ioas-map": lower-case words, joined by hyphens. */
  readonly id: string;
  /** "IOMMU_IOAS_MAP": for people. */
  readonly title: string;
};

/** The releases that have a change, or those that lack it. */
export type OnlyIf = { readonly change: Behaviour; readonly has: boolean };

export type Rule<Id extends string = string> = {
  /** "ioas-map/unknown-flags": the part's id, and the rule's name there. */
  readonly id: Id;
  readonly part: Part;
  /** Position among the part's rules, from 1: the order of the kernel's checks. */
  readonly position: number;
  /** The condition of a refusal, or the effect of a grant. */
  readonly says: string;
  /** Its source: a kernel function with its file, the uAPI header's text, or the patch. */
  readonly source: string;
  /** The error of a refusal; absent if the rule grants. */
  readonly errno?: ErrnoName;
  /** The releases that the rule applies to; all if absent. */
  readonly only?: OnlyIf;
};

type Statement = {
  readonly errno?: ErrnoName;
  readonly says: string;
  readonly source?: string;
  readonly only?: OnlyIf;
};

/** A rule that refuses with an error under a condition. */
export const refuses = (errno: ErrnoName, condition: string, source?: string): Statement =>
  source === undefined ? { errno, says: condition } : { errno, says: condition, source };

/** A rule that grants, with an effect. */
export const grants = (effect: string, source?: string): Statement =>
  source === undefined ? { says: effect } : { says: effect, source };

/** A rule of the releases with a change only. */
export const onlyWith = (change: Behaviour, statement: Statement): Statement => ({
  ...statement,
  only: { change, has: true },
});

/** A rule of the releases without a change only. */
export const onlyWithout = (change: Behaviour, statement: Statement): Statement => ({
  ...statement,
  only: { change, has: false },
});

/** "unknownFlags" as "unknown-flags". */
type Kebab<
  Name extends string,
  Done extends string = '',
> = Name extends `${infer Head}${infer Tail}`
  ? Kebab<Tail, `${Done}${Head extends Lowercase<Head> ? Head : `-${Lowercase<Head>}`}`>
  : Done;

const kebab = (name: string): string =>
  name.replace(/[A-Z]/g, (upper) => `-${upper.toLowerCase()}`);

/**
 * The rules of one part, in the order of the kernel's checks. `source` is the source of rules without their own. The
 * ids are literal types, so that a misspelt id does not compile.
 */
export const rulesOf = <
  const Id extends string,
  const Table extends Readonly<Record<string, Statement>>,
>(
  { id, title, source }: { readonly id: Id; readonly title: string; readonly source: string },
  table: Table,
): { readonly [Name in keyof Table & string]: Rule<`${Id}/${Kebab<Name>}`> } => {
  const part: Part = { id, title };
  return Object.fromEntries(
    Object.entries(table).map(([name, statement], index) => [
      name,
      { source, ...statement, id: `${id}/${kebab(name)}`, part, position: index + 1 },
    ]),
  ) as { readonly [Name in keyof Table & string]: Rule<`${Id}/${Kebab<Name>}`> };
};

/** The refusal of a call. */
export type Refused = {
  readonly refused: Rule;
  /** Another rule that may refuse first, which depends on state that the specification does not have. */
  readonly or?: Rule;
};

export const refused = (rule: Rule): Refused => ({ refused: rule });

export const isRefused = <T extends object>(value: T | Refused): value is Refused =>
  'refused' in value;
