// SPDX-License-Identifier: MIT
// A row of the audit: one difference that a program which moves to iommufd can notice, with its causes.

import type { PartId, RuleId } from '../../spec/rules.ts';
import type { Cause } from './differences.ts';
import type { Located } from './located.ts';

/**
 * breaks: a program that relies on type1's answer fails or must be changed. differs: it continues with another result, and
 * may not notice. harmless: no program is known that depends on it.
 */
export type Severity = 'breaks' | 'differs' | 'harmless';

/** The causes that a description covers. Absent fields match everything. */
export type Matcher = {
  /** With or without the argument: "VFIO_SET_IOMMU", "VFIO_SET_IOMMU(TYPE1_IOMMU)". */
  readonly request?: string;
  readonly what?: string | readonly string[];
  readonly situation?: string;
  readonly legacy?: Cited | readonly Cited[];
  readonly compat?: Cited | readonly Cited[];
  /** Whether each side grants or refuses the request. */
  readonly legacyAnswers?: Answer;
  readonly compatAnswers?: Answer;
};

/** A rule, or with a final slash every rule of a part. */
export type Cited = RuleId | `${PartId}/`;

type Answer = 'grants' | 'refuses';

export type Description = {
  /** Stable, for links: "map-dma-vaddr". */
  readonly id: string;
  /** One clause that says what differs. */
  readonly title: string;
  readonly severity: Severity;
  /** Where the patch, the uAPI header or the documents say so; absent if none does. */
  readonly declared?: string;
  /** What it means for a program that moves to iommufd. */
  readonly means: string;
  readonly covers: readonly Matcher[];
};

export type Row = {
  readonly description: Description;
  /** At least one, the shortest program first. */
  readonly causes: readonly [Located, ...Located[]];
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
