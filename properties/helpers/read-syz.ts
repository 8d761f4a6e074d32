// SPDX-License-Identifier: MIT
// Reads a syzkaller program from its text.

import { type SyzProgram, SyzReader } from '../../oracle/syz/syz-reader.ts';

export const readSyz = (text: string, file = 'repro.syz'): SyzProgram => {
  const reader = new SyzReader(file);
  for (const line of text.split('\n')) reader.take(line);
  return reader.end();
};
