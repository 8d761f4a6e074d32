// SPDX-License-Identifier: MIT
// A log of strace as a format that can be judged.

import { latin1Of } from '../../spec/abi/bytes-text.ts';
import type { World } from '../../spec/state/world.ts';
import { LogFollower } from '../strace/follower.ts';
import type { Line } from '../trace/line.ts';
import type { Format, Taken } from './format.ts';
import { judgeLogged, unknownWorld } from './judge-logged.ts';

/** What a program wrote between the lines of a log may be text of any encoding. */
export const textOfLog = ({ chunk, start, end }: Line): string =>
  latin1Of(chunk.subarray(start, end));

/** A log, which has no header: its first line is taken like the others. */
export const straceFormat = (): Format => {
  const follower = new LogFollower();
  const take = (world: World, line: Line): Taken => {
    let taken: Taken = { world };
    for (const followed of follower.take(textOfLog(line))) {
      if (followed.kind === 'skipped') {
        taken = { ...taken, skipped: followed.why };
        continue;
      }
      const { call, observation } = followed.logged;
      const verdict = judgeLogged(followed.logged);
      const observed = observation ?? { result: 0, errno: 0, memory: [] };
      const judged = {
        line: line.number,
        call,
        observation: observed,
        verdict,
        world: verdict.world,
      };
      taken = { ...taken, judged };
    }
    return taken;
  };
  return {
    name: 'strace',
    hasHeader: false,
    release: undefined,
    start: unknownWorld(),
    take,
    isCall: (line) => follower.take(textOfLog(line)).some(({ kind }) => kind === 'call'),
    end: () => undefined,
    recordedFailure: () => undefined,
  };
};
