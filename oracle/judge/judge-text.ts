// SPDX-License-Identifier: MIT
// Judges the text of a recording or a trace call by call, without a file: for browsers.

import type { World } from '../../spec/state/world.ts';
import { BadInput } from '../trace/bad-input.ts';
import { lineEnd } from '../trace/line-ends.ts';
import { formatOf } from './file-format.ts';
import type { Format } from './format.ts';
import type { JudgedCall } from './verdict.ts';

/**
 * The calls of a recording or a trace (JSON lines, not compressed), judged lazily. Ends after the first violation.
 * Throws BadInput if a line does not fit the format, after the calls before it; its message calls the text `name`.
 */
export function* judgeText(text: string, name = 'recording'): Generator<JudgedCall, void> {
  const chunk = new TextEncoder().encode(text);
  let format: Format | undefined;
  let world: World | undefined;
  let number = 0;
  for (let start = 0, end = 0; start < chunk.length; start = end + 1) {
    end = lineEnd(chunk, start);
    number += 1;
    const line = { number, chunk, start, end };
    if (format === undefined || world === undefined) {
      format = formatOf(name, line);
      world = format.start;
      if (format.hasHeader) continue;
    }
    const taken = format.take(world, line);
    world = taken.world;
    if (taken.judged === undefined) continue;
    yield taken.judged;
    if (taken.judged.verdict.kind === 'violation') return;
  }
  if (format === undefined) throw new BadInput(name, 0, 'there is no line');
  format.end(number);
}
