// SPDX-License-Identifier: MIT
// A row of the audit: one handle that a program which actions over can notice, with every way in which it was seen.

import type { PartId, RuleId } from '../../spec/rules.ts';
import type { Cause } from './differences.ts';
import type { Located } from './located.ts';

/**
 * breaks: a program that relied on it fails or must be changed. differs: it continues with another result, and may not notice.
 * harmless: no program is known that could mind.
 */
export type Severity = 'breaks' | 'differs' | 'harmless';

/** What a description is about. Absent parts match everything; a rule is named whole, or by its part and a slash. */
export type Matcher = {
  /** With or without what is asked about: "VFIO_SET_IOMMU", "VFIO_SET_IOMMU(TYPE1_IOMMU)". */
  readonly request?: string;
  readonly what?: string | readonly string[];
  readonly situation?: string;
  readonly legacy?: Cited | readonly Cited[];
  readonly compat?: Cited | readonly Cited[];
  /** What the answers are: whether each grants, or "-1 EINVAL". */
  readonly legacyAnswers?: Answer;
  readonly compatAnswers?: Answer;
};

/** A rule, or with a slash at its end every rule of a part. */
export type Cited = RuleId | `${PartId}/`;

type Answer = 'grants' | 'refuses';

export type Description = {
  /** Stable, for links: "map-dma-vaddr". */
  readonly id: string;
  /** One clause that says what differs. */
  readonly title: string;
  readonly severity: Severity;
  /** Where the patch, the uAPI header or the documents say so; absent where none does. */
  readonly declared?: string;
  /** What it means for a program that actions over. */
  readonly means: string;
  readonly covers: readonly Matcher[];
};

export type Row = {
  readonly description: Description;
  /** At least one, the shortest program first. */
  readonly seen: readonly [Located, ...Located[]];
};

const isOneOf = (
  wanted: string | readonly string[] | undefined,
  name: string,
  isNamed: (one: string, name: string) => boolean = (one, other) => one === other,
): boolean =>
  wanted === undefined ||
  (typeof wanted === 'string' ? [wanted] : wanted).some((one) => isNamed(one, name));

const namesRule = (wanted: string, id: string): boolean =>
  wanted === id || (wanted.endsWith('/') && id.startsWith(wanted));

const namesRequest = (wanted: string, request: string): boolean =>
  wanted === request || request.startsWith(`${wanted}(`);

const answersAs = (wanted: Answer | undefined, refuses: boolean): boolean =>
  wanted === undefined || (wanted === 'refuses') === refuses;

export const matches = (matcher: Matcher, found: Cause): boolean =>
  isOneOf(matcher.request, found.request, namesRequest) &&
  isOneOf(matcher.what, found.what) &&
  (matcher.situation === undefined || matcher.situation === found.situation) &&
  isOneOf(matcher.legacy, found.legacyRule.id, namesRule) &&
  isOneOf(matcher.compat, found.compatRule.id, namesRule) &&
  answersAs(matcher.legacyAnswers, found.legacyRule.errno !== undefined) &&
  answersAs(matcher.compatAnswers, found.compatRule.errno !== undefined);
