// A rule is one numbered statement of the specification. Every outcome names the rule that gave it.

import type { ErrnoName } from '../abi/errno.ts';
import type { ReleaseName } from './releases.ts';

export type Rule = {
  /** "IOAS_MAP/unknown-flags": the part it belongs to, and its name there. */
  readonly id: string;
  /** The call or the part of the kernel, as the reference groups them. */
  readonly part: string;
  /** Position among the part's rules: the order in which the kernel checks. From 1. */
  readonly position: number;
  /** What must be true, in one sentence. */
  readonly says: string;
  /** Where it stands: a kernel function with its file, the uAPI header's text, or the patch. */
  readonly source: string;
  /** The error that it answers with; absent where the rule grants. */
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

/** A rule that refuses with an error. */
export const refuses = (errno: ErrnoName, says: string, source?: string): Statement =>
  source === undefined ? { errno, says } : { errno, says, source };

/** A rule that grants. */
export const grants = (says: string, source?: string): Statement =>
  source === undefined ? { says } : { says, source };

const kebab = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/**
 * The rules of one part, in the order of the kernel's checks. `source` holds for each rule that does not
 * name its own.
 */
export const rulesOf = <const Table extends Readonly<Record<string, Statement>>>(
  part: string,
  source: string,
  table: Table,
): { readonly [Name in keyof Table]: Rule } =>
  Object.fromEntries(
    Object.entries(table).map(([name, statement], index) => [
      name,
      { source, ...statement, id: `${part}/${kebab(name)}`, part, position: index + 1 },
    ]),
  ) as { readonly [Name in keyof Table]: Rule };

/** What a step of the specification answers when a rule refuses. */
export type Refused = {
  readonly refused: Rule;
  /** Another rule that may come first: which one does depends on what the specification does not follow. */
  readonly or?: Rule;
};

export const refused = (rule: Rule): Refused => ({ refused: rule });

export const isRefused = <T extends object>(value: T | Refused): value is Refused =>
  'refused' in value;
