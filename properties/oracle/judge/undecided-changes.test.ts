// SPDX-License-Identifier: MIT
// Kernels whose version does not decide every change: both answers are allowed until a reply shows
// one, which then stays.

import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { programs } from '../../../model/arbitrary.ts';
import { EmulatedMachine } from '../../../model/emulator/machine.ts';
import { ARENA_BASE } from '../../../model/programs/arena.ts';
import { startOfProgram } from '../../../model/programs/builder.ts';
import { runProgram, type Step } from '../../../model/programs/run.ts';
import { judgeSteps } from '../../../oracle/check/judge-program.ts';
import { ERRNO } from '../../../spec/abi/errno.ts';
import { encode } from '../../../spec/abi/layout.ts';
import { nativeCall } from '../../../spec/abi/native.ts';
import { fileDescriptor, userAddress } from '../../../spec/abi/units.ts';
import { CHANGE_NAMES } from '../../../spec/terms/changes.ts';
import {
  RELEASE_NAMES,
  releaseOf,
  undecidedChanges,
  versionOf,
} from '../../../spec/terms/releases.ts';
import { PRIVILEGED, platform } from '../../helpers/settings.ts';

const undecided = suite('changes that a version does not decide');

/** A distribution's kernel, which may have each later change. */
const DISTRIBUTION = '6.12.95-1-distribution';

const settingOn = (release: string, platformName: string) => ({
  release,
  platform: platform(platformName),
  credentials: PRIVILEGED,
});

undecided('the versions of the specified releases decide every change', () => {
  for (const name of RELEASE_NAMES) assert.equal([...undecidedChanges(name)], [], name);
  const newest = releaseOf('7.3.4');
  assert.ok(CHANGE_NAMES.every((change) => newest.has[change]));
});

undecided('a later version has each change that an earlier one has', () => {
  const minor = fc.integer({ min: 2, max: 30 });
  const version = fc.tuple(fc.constantFrom(6, 7), minor, fc.nat(130));
  fc.assert(
    fc.property(version, version, (a, b) => {
      const [earlier, later] = a[0] * 100 + a[1] < b[0] * 100 + b[1] ? [a, b] : [b, a];
      if (earlier[0] === later[0] && earlier[1] === later[1]) return;
      const older = releaseOf(earlier.join('.'));
      const newer = releaseOf(later.join('.'));
      const open = undecidedChanges(later.join('.'));
      for (const change of CHANGE_NAMES) {
        assert.ok(!older.has[change] || newer.has[change] || open.has(change), change);
      }
    }),
  );
});

undecided('versions are read as distributions print them', () => {
  for (const name of [
    '6.2',
    '6.14.0-29-generic',
    '6.12.96+deb13-amd64',
    '6.18.3-arch1-1',
    '6.17.4-200.fc42.x86_64',
    '7.4.0-rc3',
    '6.8.12-9-pve',
  ]) {
    assert.ok(versionOf(name), name);
  }
  for (const name of ['6.1.9', '5.15.0-1-generic', '6', 'v6.12', '6.12.', '6.12.1 x', '']) {
    assert.is(versionOf(name), undefined, name);
  }
});

for (const platformName of ['mock', 'vtd', 'noiommu']) {
  for (const release of ['6.12.117', '7.2.13', '7.3.4']) {
    undecided(`a distribution's kernel may be ${release} inside, on ${platformName}`, () => {
      const own = settingOn(release, platformName);
      const assumed = settingOn(DISTRIBUTION, platformName);
      fc.assert(
        fc.property(programs(own, 30, { probes: { transfersIn: 0 } }), (program) => {
          const steps = runProgram(program, new EmulatedMachine(own));
          const { failure } = judgeSteps(startOfProgram(assumed), steps);
          assert.is(failure, undefined);
        }),
        { numRuns: 40, seed: 7301 },
      );
    });
  }
}

const MAP_FILE = nativeCall('IOMMU_IOAS_MAP_FILE');

/** A MAP_FILE with a flag that no release has. */
const mapFile = (errno: number): Step => {
  const bytes = encode(MAP_FILE.layout, { size: MAP_FILE.layout.size, flags: 0x80 });
  const segment = { address: userAddress(ARENA_BASE), bytes };
  return {
    label: 'map',
    call: {
      kind: 'ioctl',
      process: 1,
      fd: fileDescriptor(3),
      command: MAP_FILE.command,
      argument: segment.address,
      memory: [segment],
    },
    observation: { result: -1, errno, memory: [segment] },
  };
};

const OPEN: Step = {
  label: 'iommufd',
  call: { kind: 'open', process: 1, path: '/dev/iommu' },
  observation: { result: 3, errno: 0, memory: [] },
};

const failureOf = (release: string, ...errnos: readonly number[]) =>
  judgeSteps(startOfProgram(settingOn(release, 'mock')), [OPEN, ...errnos.map(mapFile)]).failure;

undecided('a reply decides a change for the calls that follow', () => {
  const { ENOTTY, EOPNOTSUPP } = ERRNO;
  assert.is(failureOf(DISTRIBUTION, ENOTTY, ENOTTY), undefined);
  assert.is(failureOf(DISTRIBUTION, EOPNOTSUPP, EOPNOTSUPP), undefined);
  assert.is(failureOf(DISTRIBUTION, ENOTTY, EOPNOTSUPP)?.kind, 'reply');
  assert.is(failureOf(DISTRIBUTION, EOPNOTSUPP, ENOTTY)?.kind, 'reply');
  assert.is(failureOf(DISTRIBUTION, ERRNO.EBUSY)?.kind, 'reply');
  assert.is(failureOf('6.12.95', EOPNOTSUPP)?.kind, 'reply');
  assert.is(failureOf('6.13', ENOTTY)?.kind, 'reply');
});

undecided.run();
