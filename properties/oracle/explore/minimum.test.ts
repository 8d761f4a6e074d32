// SPDX-License-Identifier: MIT
// No program is shorter than the known one of a defect, checked where few calls are enough; `npm
// run bench -- minima` has the others. A shorter one would be found.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NATIVE } from '../../../oracle/explore/action-sets/native.ts';
import { actionsOfProgram, distinctActions } from '../../../oracle/explore/actions-of-program.ts';
import { shortestViolation } from '../../../oracle/explore/shortest-violation.ts';
import { programText } from '../../../oracle/report/program-text.ts';
import { minimumOf } from '../../defects/minimum.ts';
import { SHOWN_HISTORY } from '../../defects/shown-history.ts';
import { unmap } from '../../defects/shown-operations.ts';

const test = suite('minima of defects');

const LONGEST = 5;
const BOUNDS = { every: 1_000, byState: 50_000 };

const shownAs = (defect: string) => {
  const shown = SHOWN_HISTORY.find((candidate) => candidate.defect === defect);
  if (shown === undefined) throw new Error(`No program shows ${defect}.`);
  return shown;
};

for (const shown of SHOWN_HISTORY) {
  const { defect, program } = shown;
  if (program.length > LONGEST) continue;
  test(`${defect}: no program shorter than ${program.length} calls`, () => {
    assert.is(minimumOf(shown, BOUNDS).found.kind, 'not shown');
  });
}

test('a program with a call too many is not a shortest one', () => {
  const shown = shownAs('chosen-iova-wraps');
  const [opened, ioas, ...rest] = shown.program;
  if (opened === undefined || ioas === undefined) throw new Error('It has calls.');
  const program = [opened, ioas, unmap('needless', 0n, 4096n), ...rest];
  const { found } = minimumOf({ ...shown, program }, BOUNDS);
  assert.is(found.kind, 'shown');
  if (found.kind !== 'shown') return;
  assert.is(found.program.length, shown.program.length);
  assert.match(programText(found.program).join('\n'), 'IOMMU_IOAS_ALLOW_IOVAS');
});

test('one for each state finds what every program does', () => {
  for (const defect of ['empty-unmap-enoent', 'chosen-iova-wraps', 'info-padding-leak']) {
    const { setting, program } = shownAs(defect);
    const actions = actionsOfProgram(setting, program);
    const ask = (every: boolean) =>
      shortestViolation({ setting, actions, defect: shownAs(defect).defect, calls: 5, every });
    const [all, some] = [ask(true), ask(false)];
    assert.is(all.kind, 'shown', defect);
    assert.is(some.kind, 'shown', defect);
    if (all.kind !== 'shown' || some.kind !== 'shown') continue;
    assert.is(all.program.length, program.length, defect);
    assert.is(some.program.length, program.length, defect);
    assert.ok(some.programs <= all.programs, defect);
  }
});

test('actions of a program are its calls, each once, and those of an actionSet are known again', () => {
  const { setting, program } = shownAs('pages-not-unpinned-with-access');
  const actions = actionsOfProgram(setting, program);
  assert.equal(
    actions.map(({ needs, unless }) => [needs, unless]),
    [
      [[], ['iommufd 1']],
      [['iommufd 1'], ['ioas 1']],
      [
        ['iommufd 1', 'ioas 1'],
        ['hwpt 1', 'device 1', 'selftest 1'],
      ],
      [['iommufd 1', 'ioas 1'], []],
      [
        ['iommufd 1', 'ioas 1'],
        ['access object 1', 'access 1'],
      ],
      [['iommufd 1', 'access 1'], ['pin 1']],
      [['iommufd 1', 'selftest 1'], []],
    ],
  );
  const both = distinctActions([...actions, ...NATIVE.actions]);
  assert.is(both.length, actions.length + NATIVE.actions.length - 5);
  const ioas = both.filter(({ unless }) => unless.some((name) => name.startsWith('ioas')));
  assert.equal(ioas[0]?.unless, ['ioas 2']);
});

test.run();
