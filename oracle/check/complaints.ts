// What a kernel says of itself while a program runs: which of it matters, and which is known of the release.

import { deviationOfComplaint } from '../../spec/deviations.ts';
import type { ReleaseName } from '../../spec/releases.ts';

/** Lines that begin a report of something that must never happen. */
const SERIOUS =
  /WARNING:|\bBUG[: ]|Oops|KASAN|UBSAN|general protection|possible .*(deadlock|recursive)|inconsistent lock|INFO: task .* blocked|refcount_t|DMAR:.*(fault|DRHD)/;

export type Complaints = {
  /** Ids of known deviations that were seen. */
  readonly known: readonly string[];
  /** Every line, where one of them begins a report that is not known; empty otherwise. */
  readonly lines: readonly string[];
};

/** The kernel's lines, sorted into what is known of the release and what is not. */
export const sortComplaints = (release: ReleaseName, lines: readonly string[]): Complaints => {
  const known: string[] = [];
  let news = false;
  for (const line of lines) {
    if (!SERIOUS.test(line)) continue;
    const deviation = deviationOfComplaint(release, line);
    if (deviation === undefined) news = true;
    else known.push(deviation.id);
  }
  return { known, lines: news ? lines : [] };
};
