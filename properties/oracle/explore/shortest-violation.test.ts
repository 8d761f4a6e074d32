// Defects of the emulator with the shortest programs that show them: no program of fewer calls does.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FaultName } from '../../../model/emulator/faults.ts';
import { COMPAT } from '../../../oracle/explore/alphabets/compat.ts';
import { NATIVE } from '../../../oracle/explore/alphabets/native.ts';
import type { Alphabet } from '../../../oracle/explore/letters.ts';
import { shortestViolation } from '../../../oracle/explore/shortest-violation.ts';
import { programText } from '../../../oracle/report/program-text.ts';
import { settingOf } from '../../helpers/settings.ts';

const test = suite('shortest violations');

const asked = ({ platform, letters }: Alphabet, fault: FaultName, calls: number) =>
  shortestViolation({ setting: settingOf(platform), letters, fault, calls });

test('an empty unmap that answers ENOENT takes four calls, and no three show it', () => {
  const shown = asked(COMPAT, 'empty-unmap-enoent', 4);
  assert.is(shown.kind, 'shown');
  if (shown.kind !== 'shown') return;
  assert.is(shown.program.length, 4);
  assert.match(programText(shown.program).at(-1) ?? '', 'VFIO_IOMMU_UNMAP_DMA');
  assert.is(asked(COMPAT, 'empty-unmap-enoent', 3).kind, 'not shown');
});

test('a wrong error for a map over another one takes four calls', () => {
  const shown = asked(NATIVE, 'wrong-errno-on-overlap', 4);
  assert.is(shown.kind, 'shown');
  assert.is(shown.kind === 'shown' ? shown.program.length : 0, 4);
});

test('the emulator without a defect shows nothing, however the programs are made', () => {
  const setting = settingOf('mock');
  const { kind, programs } = shortestViolation({
    setting,
    letters: NATIVE.letters,
    fault: undefined,
    calls: 4,
    every: true,
  });
  assert.is(kind, 'not shown');
  assert.ok(programs > 700, `${programs}`);
});

test.run();
