// SPDX-License-Identifier: MIT
// The audit: it finds the same differences each time, all are described, and the emulator, which is
// independent of the specification, shows them.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EmulatedMachine } from '../../../model/emulator/machine.ts';
import { runProgram } from '../../../model/programs/run.ts';
import type { DifferenceKind } from '../../../oracle/audit/answer-difference.ts';
import { differenceKindsOf } from '../../../oracle/audit/difference-kinds.ts';
import { type Located, settingOn } from '../../../oracle/audit/located.ts';
import { documentOf } from '../../../oracle/audit/pages/audit-document.ts';
import { SCENARIOS } from '../../../oracle/audit/platforms.ts';
import { matches } from '../../../oracle/audit/row.ts';
import { DESCRIPTIONS, rowsOf } from '../../../oracle/audit/rows.ts';
import { programOn, type Side } from '../../../oracle/audit/side.ts';
import { transferFor } from '../../../oracle/audit/transfer.ts';
import { AUDITED_RELEASES, type AuditedRelease } from '../../../oracle/emit/audited-releases.ts';
import { foundOn, scenarioNamed, searchOn, VTD } from './searched.ts';

const test = suite('audit');

test('the same causes are found by the same programs each time', async () => {
  const [one, other] = [await searchOn('7.3.4', VTD, 3), await searchOn('7.3.4', VTD, 3)];
  assert.ok(one.all.length > 40, `only ${one.all.length} causes`);
  assert.equal(one.searched, other.searched);
  assert.equal(
    one.all.map(({ key, program, kind, count }) => ({ key, program, kind, count })),
    other.all.map(({ key, program, kind, count }) => ({ key, program, kind, count })),
  );
});

const isDescribed = (cause: Located): boolean =>
  DESCRIPTIONS.some(({ covers }) => covers.some((matcher) => matches(matcher, cause)));

/** Differences that only hidden state shows. */
const isHidden = ({ what }: Located): boolean => /devices reach|charged/.test(what);

const onEmulator = (release: AuditedRelease, { scenario, program }: Located, side: Side) => {
  const machine = new EmulatedMachine(settingOn(release, scenario));
  const last = runProgram(programOn(side, program), machine).at(-1);
  if (last === undefined) throw new Error('An empty program.');
  const { result, errno, memory } = last.observation;
  return { result: errno === 0 ? result : -errno, after: memory };
};

const text = ({ what, legacy, compat }: DifferenceKind): string => `${what}: ${legacy}, ${compat}`;

for (const release of AUDITED_RELEASES) {
  test(`differences are specified on both sides, described, and shown by the emulator (${release})`, async () => {
    for (const scenario of SCENARIOS) {
      const { searched, all } = await foundOn(release, scenario);
      assert.is(searched.undecided, 0, `${scenario.name}: requests that a side does not specify`);
      for (const cause of all) {
        assert.ok(isDescribed(cause), `nobody has described ${cause.key}`);
        if (/devices reach/.test(cause.what)) {
          const shown = transferFor(release, cause);
          assert.ok(shown !== undefined, `no transfer shows ${cause.key}`);
          assert.is.not(shown.reaches.legacy, shown.reaches.compat);
        }
        if (isHidden(cause)) continue;
        const operation = cause.program.at(-1);
        if (operation === undefined) throw new Error('An empty program.');
        const kinds = differenceKindsOf(
          operation,
          onEmulator(release, cause, 'legacy'),
          onEmulator(release, cause, 'compat'),
        );
        const seen = [...kinds].map(text);
        assert.ok(
          seen.includes(text(cause.kind)),
          `${scenario.name}, ${cause.key}: the emulator shows ${seen.join('; ') || 'no difference'}`,
        );
      }
    }
  });
}

test('a row is reported only for the releases that have it, not for others whose answers differ there, too', async () => {
  const { all } = await foundOn('6.12.95', scenarioNamed('an mdev'));
  const { rows } = documentOf(
    { release: '6.12.95', searched: [], rows: rowsOf(all), confirmed: new Map() },
    new Map(),
  );
  const releasesOf = (wanted: string) => rows.find(({ id }) => id === wanted)?.releases;
  assert.equal(releasesOf('set-iommu-nesting'), ['6.12.95']);
  assert.equal(releasesOf('map-lost'), ['6.12.95']);
  assert.equal(releasesOf('set-iommu-twice'), ['6.12.95', '7.3.4']);
});

test('row names are links', () => {
  const ids = DESCRIPTIONS.map(({ id }) => id);
  assert.is(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[a-z][a-z0-9-]*$/);
});

test.run();
