// SPDX-License-Identifier: MIT
// The audit as data, from which its three forms (Markdown, JSON, HTML) are made.

import { AUDITED_RELEASES } from '../../emit/audited-releases.ts';
import { markdownText } from '../../text/markup.ts';
import type { RandomCounts, SearchedPlatform } from '../record.ts';
import type { Severity } from '../row.ts';
import type { Strip } from './map-picture.ts';

export type ShownSide = {
  readonly rule: string;
  readonly says: string;
  readonly source: string;
  /** Its answer in the shortest program, in words. */
  readonly answers: string;
};

export type ShownVariant = {
  /** Identifies the cause in every form of the audit. */
  readonly key: string;
  readonly request: string;
  readonly what: string;
  readonly legacy: ShownSide;
  readonly compat: ShownSide;
  /** The name of its scenario. */
  readonly scenario: string;
  /** The shortest program that shows it, one line per operation. The container's path represents both. */
  readonly program: readonly string[];
  readonly maps: readonly Strip[];
  /** How many programs showed it. */
  readonly count: number;
  /** Releases in which the program shows the same two answers, including the audit's. */
  readonly releases: readonly string[];
  readonly confirmed: readonly string[];
  /** Only a program generated at random showed it. */
  readonly isGenerated: boolean;
};

export type ShownRow = {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly declared?: string;
  readonly means: string;
  /** Releases in which the row's programs show it, including the audit's. */
  readonly releases: readonly string[];
  /** The releases whose kernels gave both answers. */
  readonly confirmed: readonly string[];
  /** The row's C file, from the folder of the audit. */
  readonly reproducer: string;
  /** The releases on whose kernels the C file shows the row. */
  readonly reproduced: readonly string[];
  readonly variants: readonly [ShownVariant, ...ShownVariant[]];
};

const sum = (all: readonly SearchedPlatform[], field: 'requests' | 'states'): number =>
  all.reduce((total, one) => total + one[field], 0);

export const searchedLines = (searched: readonly SearchedPlatform[]): readonly string[] => [
  `The search made ${sum(searched, 'requests')} requests in ${sum(searched, 'states')} pairs of states:`,
  '',
  ...searched.map(
    ({ platform, states, requests, undecided }) =>
      `- ${markdownText(platform)}: ${requests} requests in ${states} pairs of states; ${undecided} are unspecified on one side`,
  ),
];

export const generatedLines = (generated: RandomCounts): readonly string[] => [
  `- ${generated.runs} programs generated at random (seed ${generated.seed}): ${generated.operations} operations, ${generated.undecided} of them unspecified on one side; ${generated.differences} differences with ${generated.causes} causes, of which the search had not found ${generated.found}`,
];

export type AuditDocument = {
  readonly release: string;
  readonly searched: readonly SearchedPlatform[];
  readonly generated?: RandomCounts;
  readonly rows: readonly ShownRow[];
};

/** "since 7.3.4". */
export const releasesText = (releases: readonly string[]): string => {
  const has = AUDITED_RELEASES.map((name) => releases.includes(name));
  if (has.at(0) === has.at(-1)) return `in ${releases.join(', ')}`;
  return has.at(0) === true ? `until ${releases.at(-1)}` : `since ${releases.at(0)}`;
};

export const SEVERITY_WORDS: Readonly<Record<Severity, string>> = {
  breaks: 'breaks',
  differs: 'silently differs',
  harmless: 'harmless',
};

/** Variants in the text of a row; the others are only counted. */
export const VARIANTS_SHOWN = 6;
