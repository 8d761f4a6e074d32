// SPDX-License-Identifier: MIT
// How often campaigns reached each rule, and which rules they did not or cannot reach.

import type { ErrnoName } from '../../spec/abi/errno.ts';
import { SECTIONS } from '../../spec/rules.ts';
import type { CampaignCounts } from './campaign-file.ts';
import { whyNot } from './unreachable.ts';

export type RuleCover = {
  readonly id: string;
  /** Absent if the rule grants. */
  readonly errno?: ErrnoName;
  readonly says: string;
  /** Calls that it answered. */
  readonly count: number;
  /** Why no generated program can reach it in these settings. */
  readonly unreachable?: string;
};

export type PartCover = { readonly title: string; readonly rules: readonly RuleCover[] };

export type Cover = {
  readonly reached: number;
  readonly missed: number;
  readonly unreachable: number;
  readonly sections: readonly { readonly title: string; readonly parts: readonly PartCover[] }[];
};

export const coverOf = (campaigns: readonly Pick<CampaignCounts, 'setting' | 'rules'>[]): Cover => {
  const settings = campaigns.map(({ setting }) => setting);
  const sections = SECTIONS.map(({ title, parts }) => ({
    title,
    parts: parts.map((part) => ({
      title: part.title,
      rules: part.rules.map((rule): RuleCover => {
        const count = campaigns.reduce((sum, { rules }) => sum + (rules.get(rule.id) ?? 0), 0);
        const unreachable = count > 0 ? undefined : whyNot(rule, settings);
        return {
          id: rule.id,
          ...(rule.errno === undefined ? {} : { errno: rule.errno }),
          says: rule.says,
          count,
          ...(unreachable === undefined ? {} : { unreachable }),
        };
      }),
    })),
  }));
  const all = sections.flatMap(({ parts }) => parts.flatMap(({ rules }) => rules));
  const reached = all.filter(({ count }) => count > 0).length;
  const unreachable = all.filter((rule) => rule.unreachable !== undefined).length;
  return { reached, missed: all.length - reached - unreachable, unreachable, sections };
};
