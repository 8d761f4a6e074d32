// SPDX-License-Identifier: MIT
// Reads a file again up to a violation, to find the lines that created the objects in the violation's state.

import type { World } from '../../spec/state/world.ts';
import { formatOf } from '../judge/file-format.ts';
import type { Format } from '../judge/format.ts';
import { OriginSeeker } from '../report/origins.ts';
import type { ViolationReport } from '../report/violation.ts';
import { eachLine } from '../trace/line-ends.ts';
import { chunksOf } from '../trace/lines.ts';
import type { StatedFacts } from '../trace/recording.ts';

/** The report with the lines that created the objects of its state; unchanged if `signal` stops the reading. */
export const withOrigins = async (
  file: string,
  report: ViolationReport,
  signal: AbortSignal,
  stated: StatedFacts,
): Promise<ViolationReport> => {
  const seeker = new OriginSeeker(report.state);
  let format: Format | undefined;
  let world: World | undefined;
  let number = 0;
  const see = (chunk: Uint8Array, start: number, end: number): void => {
    number += 1;
    const line = { number, chunk, start, end };
    if (format === undefined || world === undefined) {
      format = formatOf(file, line, stated);
      world = format.start;
    } else if (number < (report.line ?? 0)) {
      ({ world } = format.take(world, line));
      seeker.see(world, `line ${number}`);
    }
  };
  for await (const chunk of chunksOf(file)) {
    eachLine(chunk, (start, end) => see(chunk, start, end));
    if (number >= (report.line ?? 0)) break;
    if (signal.aborted) return report;
  }
  return { ...report, state: seeker.reported(report.state) };
};
