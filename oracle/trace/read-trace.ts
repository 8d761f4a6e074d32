// SPDX-License-Identifier: MIT
// Reads the file of a trace: plain or compressed, or standard input.

import { textOf } from './line.ts';
import { linesOf } from './lines.ts';
import { type Trace, TraceReader } from './trace-file.ts';

/** The whole trace: programs are short. Throws BadInput. */
export const readTrace = async (file: string): Promise<Trace> => {
  const reader = new TraceReader(file);
  for await (const line of linesOf(file)) reader.take(textOf(file, line));
  return reader.end();
};
