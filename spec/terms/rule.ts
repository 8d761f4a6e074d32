// SPDX-License-Identifier: MIT
// A rule is one numbered statement of the specification. Every outcome names the rule that gave it.

import type { ErrnoName } from '../abi/errno.ts';
import type { ReleaseName } from './releases.ts';

/** What rules are grouped by: a call, or a part of the kernel that several calls use. */
export type Part = {
  /** "ioas-map": lower-case words, joined by hyphens. */
  readonly id: string;
  /** "IOMMU_IOAS_MAP": for people. */
  readonly title: string;
};

export type Rule<Id extends string = string> = {
  /** "ioas-map/unknown-flags": the part's id, and the rule's name there. */
  readonly id: Id;
  readonly part: Part;
  /** Position among the part's rules: the order in which the kernel checks. From 1. */
  readonly position: number;
  /** The condition under which it refuses, or the effect that it grants. */
  readonly says: string;
  /** Its source: a kernel function with its file, the uAPI header's text, or the patch. */
  readonly source: string;
  /** The error of a refusal; absent where the rule grants. */
  readonly errno?: ErrnoName;
  /** The releases that it holds for; all where absent. */
  readonly only?: readonly ReleaseName[];
};

type Statement = {
  readonly errno?: ErrnoName;
  readonly says: string;
  readonly source?: string;
  readonly only?: readonly ReleaseName[];
};

/** A rule that refuses with an error, under the condition that it says. */
export const refuses = (errno: ErrnoName, condition: string, source?: string): Statement =>
  source === undefined ? { errno, says: condition } : { errno, says: condition, source };

/** A rule that grants, with the effect that it says. */
export const grants = (effect: string, source?: string): Statement =>
  source === undefined ? { says: effect } : { says: effect, source };

/** The rule of some releases alone. */
export const onlyIn = (only: readonly ReleaseName[], statement: Statement): Statement => ({
  ...statement,
  only,
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
 * The rules of one part, in the order of the kernel's checks. `source` holds for each rule that does not name its own.
 * The ids are literal types, so that a misspelt one is found when the code is compiled.
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

/** What a step of the specification answers when a rule refuses. */
export type Refused = {
  readonly refused: Rule;
  /** Another rule that may come first: which one does depends on what the specification does not follow. */
  readonly or?: Rule;
};

export const refused = (rule: Rule): Refused => ({ refused: rule });

export const isRefused = <T extends object>(value: T | Refused): value is Refused =>
  'refused' in value;
