// Reads a trace file as a whole, plain or compressed.

import { linesOf } from './lines.ts';
import { type Trace, TraceReader } from './trace-file.ts';

/** The whole trace: programs are short. Throws BadInput. */
export const readTrace = async (file: string): Promise<Trace> => {
  const reader = new TraceReader(file);
  for await (const texts of linesOf(file)) for (const text of texts) reader.take(text);
  return reader.end();
};
