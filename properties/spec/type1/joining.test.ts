// SPDX-License-Identifier: MIT
// A group that joins a container whose maps its IOMMU cannot translate, and whose memory cannot all be had either: which of
// the two is met first depends on how the memory lies, so that both answers are allowed.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EmulatedMachine } from '../../../model/emulator/machine.ts';
import { DATA_OFFSET } from '../../../model/programs/arena.ts';
import { startOfProgram } from '../../../model/programs/builder.ts';
import type { Program } from '../../../model/programs/program.ts';
import { runProgram } from '../../../model/programs/run.ts';
import { judgeSteps } from '../../../oracle/check/judge-program.ts';
import { ERRNO } from '../../../spec/abi/errno.ts';
import { VFIO_GROUP_UNSET_CONTAINER, VFIO_SET_IOMMU } from '../../../spec/abi/vfio.ts';
import type { Setting } from '../../../spec/terms/platform.ts';
import { MIXED_PLATFORM } from '../../../spec/terms/platforms.ts';
import { ioctl, vfio } from '../../helpers/operations.ts';

const test = suite('joining');

const PAGE = 4096n;
const LIMIT = 20n;

const SETTING: Setting = {
  release: '7.3.4',
  platform: MIXED_PLATFORM,
  credentials: { privileged: false, memlockLimit: LIMIT * PAGE },
};

/** Behind the aperture of the IOMMU of group 6. */
const BEYOND = 0x80_0000_0000n;

const joins = (label: string, group: string) =>
  vfio(label, group, 'VFIO_GROUP_SET_CONTAINER', { fd: { from: 'container', out: 'result' } });

const PROGRAM: Program = [
  { op: 'open', label: 'container', path: '/dev/vfio/vfio' },
  { op: 'open', label: 'mediated', path: '/dev/vfio/7' },
  joins('first', 'mediated'),
  ioctl('type', 'container', VFIO_SET_IOMMU, 3n),
  vfio('map', 'container', 'VFIO_IOMMU_MAP_DMA', {
    flags: 3n,
    vaddr: { arena: DATA_OFFSET },
    iova: BEYOND,
    size: 32n * PAGE,
  }),
  { op: 'open', label: 'group', path: '/dev/vfio/6' },
  joins('second', 'group'),
];

const answered = (errno: number) => {
  const steps = runProgram(PROGRAM, new EmulatedMachine(SETTING));
  const last = steps.at(-1);
  if (last === undefined) throw new Error('An empty program.');
  const changed = { ...last, observation: { ...last.observation, result: -1, errno } };
  return judgeSteps(startOfProgram(SETTING), steps.with(-1, changed)).failure;
};

test('the limit or the aperture may be met first, and nothing else', () => {
  assert.is(answered(ERRNO.ENOMEM), undefined);
  assert.is(answered(ERRNO.ERANGE), undefined);
  assert.is(answered(ERRNO.EINVAL)?.kind, 'reply');
});

/** The IOMMU of group 8 has pages that are too large, so that what the container holds is not known. */
const UNTRACKED: Program = [
  { op: 'open', label: 'container', path: '/dev/vfio/vfio' },
  { op: 'open', label: 'coarse', path: '/dev/vfio/8' },
  joins('first', 'coarse'),
  { op: 'open', label: 'group', path: '/dev/vfio/5' },
  joins('second', 'group'),
  ioctl('type', 'container', VFIO_SET_IOMMU, 3n),
  ioctl('leave', 'coarse', VFIO_GROUP_UNSET_CONTAINER, 0n),
];

test('a group leaves an untracked container', () => {
  const steps = runProgram(UNTRACKED, new EmulatedMachine(SETTING));
  const judged = judgeSteps(startOfProgram(SETTING), steps);
  assert.is(judged.failure, undefined);
  assert.is(judged.steps.length, UNTRACKED.length);
});

test.run();
