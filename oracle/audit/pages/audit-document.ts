// SPDX-License-Identifier: MIT
// Makes the audit's document. The program of each variant runs on the specification again, for the answers of the other
// releases and for the pictures.

import { startOfProgram } from '../../../model/programs/builder.ts';
import type { Operation } from '../../../model/programs/program.ts';
import type { World } from '../../../spec/state/world.ts';
import type { Rule } from '../../../spec/terms/rule.ts';
import { AUDITED_RELEASES, type AuditedRelease } from '../../emit/audited-releases.ts';
import { programText } from '../../report/program-text.ts';
import type { DifferenceKind } from '../answer-difference.ts';
import { type Cause, causesOf, compared } from '../differences.ts';
import { type Located, settingOn } from '../located.ts';
import { mappedIn } from '../mapped.ts';
import { type Pair, startOfPair } from '../pair.ts';
import type { RecordedAudit, ShownOn } from '../recorded.ts';
import type { Row } from '../row.ts';
import { descriptionOf } from '../rows.ts';
import type { AuditDocument, ShownRow, ShownSide, ShownVariant } from './document.ts';
import type { Strip } from './map-picture.ts';

/** The folder of the C files, in the folder of the audit. */
export const ROWS_FOLDER = 'rows';

type Sides = { readonly legacy: World; readonly compat: World };

type Replayed = {
  readonly kinds: readonly DifferenceKind[];
  readonly before: Sides;
  readonly after: Sides;
};

const worldsOf = ({ legacy, compat }: Pair): Sides => ({
  legacy: legacy.world,
  compat: compat.world,
});

/** Both sides before the last operation, and that operation. */
const beforeLast = (
  release: AuditedRelease,
  { program, scenario }: Located,
): { readonly pair: Pair; readonly last: Operation } => {
  const pair = startOfPair(startOfProgram(settingOn(release, scenario)));
  for (const operation of program.slice(0, -1)) pair.add(operation);
  const last = program.at(-1);
  if (last === undefined) throw new Error('A program that shows a difference is empty.');
  return { pair, last };
};

const replayed = (release: AuditedRelease, found: Located): Replayed => {
  const { pair, last } = beforeLast(release, found);
  const before = worldsOf(pair);
  const { kinds } = compared(pair, last);
  return { kinds, before, after: worldsOf(pair) };
};

const causesIn = (release: AuditedRelease, found: Located): readonly Cause[] => {
  const { pair, last } = beforeLast(release, found);
  return causesOf(pair, last);
};

const strips = ({ before, after }: Replayed): readonly Strip[] => [
  { name: 'type1 before', ranges: mappedIn(before.legacy) },
  { name: 'type1 after', ranges: mappedIn(after.legacy) },
  { name: 'iommufd before', ranges: mappedIn(before.compat) },
  { name: 'iommufd after', ranges: mappedIn(after.compat) },
];

export const shownSide = ({ id, says, source }: Rule, answers: string): ShownSide => ({
  rule: id,
  says,
  source,
  answers,
});

/** The audit's release, and those for which `shows` is true. */
const releasesWhere = (
  release: AuditedRelease,
  shows: (other: AuditedRelease) => boolean,
): readonly AuditedRelease[] =>
  AUDITED_RELEASES.filter((other) => other === release || shows(other));

const isSame = (one: DifferenceKind, other: DifferenceKind): boolean =>
  one.what === other.what && one.legacy === other.legacy && one.compat === other.compat;

const variant = (release: AuditedRelease, found: Located, confirmed: ShownOn): ShownVariant => {
  const { key, request, what, kind, legacyRule, compatRule, program, count } = found;
  return {
    key,
    request,
    what,
    legacy: shownSide(legacyRule, kind.legacy),
    compat: shownSide(compatRule, kind.compat),
    scenario: found.scenario.name,
    program: programText(program),
    maps: strips(replayed(release, found)),
    count,
    releases: releasesWhere(release, (other) =>
      replayed(other, found).kinds.some((there) => isSame(kind, there)),
    ),
    confirmed: confirmed.get(key) ?? [],
    isGenerated: found.isGenerated === true,
  };
};

/** The releases in which a program of the row shows the row. */
const releasesOfRow = (
  release: AuditedRelease,
  { description, causes }: Row,
): readonly AuditedRelease[] =>
  releasesWhere(release, (other) =>
    causes.some((found) =>
      causesIn(other, found).some((cause) => descriptionOf(cause)?.id === description.id),
    ),
  );

const rowOf = ({ release, confirmed }: RecordedAudit, row: Row, reproduced: ShownOn): ShownRow => {
  const { covers: _, ...described } = row.description;
  const [first, ...rest] = row.causes.map((found) => variant(release, found, confirmed));
  if (first === undefined) throw new Error(`Row ${described.id} has no program.`);
  const variants = [first, ...rest] as const;
  const kernels = AUDITED_RELEASES.filter((name) =>
    variants.some((shown) => shown.confirmed.includes(name)),
  );
  return {
    ...described,
    releases: releasesOfRow(release, row),
    confirmed: kernels,
    reproducer: `${ROWS_FOLDER}/${row.description.id}.c`,
    reproduced: reproduced.get(described.id) ?? [],
    variants,
  };
};

export const documentOf = (audit: RecordedAudit, reproduced: ShownOn): AuditDocument => ({
  release: audit.release,
  searched: audit.searched,
  ...(audit.random === undefined ? {} : { generated: audit.random }),
  rows: audit.rows.map((row) => rowOf(audit, row, reproduced)),
});
