// SPDX-License-Identifier: MIT
// Defects of the emulator with their shortest programs: no program with fewer calls shows them.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DefectName } from '../../../model/emulator/defects.ts';
import { COMPAT } from '../../../oracle/explore/action-sets/compat.ts';
import { NATIVE } from '../../../oracle/explore/action-sets/native.ts';
import type { ActionSet } from '../../../oracle/explore/actions.ts';
import { shortestViolation } from '../../../oracle/explore/shortest-violation.ts';
import { programText } from '../../../oracle/report/program-text.ts';
import { settingOf } from '../../helpers/settings.ts';

const test = suite('shortest violations');

const asked = ({ platform, actions }: ActionSet, defect: DefectName, calls: number) =>
  shortestViolation({ setting: settingOf(platform), actions, defect, calls });

test('an empty unmap that returns ENOENT takes four calls, and three never show it', () => {
  const shown = asked(COMPAT, 'empty-unmap-enoent', 4);
  assert.is(shown.kind, 'shown');
  if (shown.kind !== 'shown') return;
  assert.is(shown.program.length, 4);
  assert.match(programText(shown.program).at(-1) ?? '', 'VFIO_IOMMU_UNMAP_DMA');
  assert.is(asked(COMPAT, 'empty-unmap-enoent', 3).kind, 'not shown');
});

test('a wrong errno for an overlapping map takes four calls', () => {
  const shown = asked(NATIVE, 'wrong-errno-on-overlap', 4);
  assert.is(shown.kind, 'shown');
  assert.is(shown.kind === 'shown' ? shown.program.length : 0, 4);
});

test('the emulator without a defect shows no violation', () => {
  const setting = settingOf('mock');
  const { kind, programs } = shortestViolation({
    setting,
    actions: NATIVE.actions,
    defect: undefined,
    calls: 4,
    every: true,
  });
  assert.is(kind, 'not shown');
  assert.ok(programs > 700, `${programs}`);
});

test.run();
