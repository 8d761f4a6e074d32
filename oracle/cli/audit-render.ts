// SPDX-License-Identifier: MIT
// iommufd-spec audit --render: generates the pages and C files of a folder of audits from its records; with --confirm,
// runs the causes on kernels first.

import { requireImage } from '../vm/vm.ts';
import { confirmations, refutedText } from './audit-confirm.ts';
import { BadUse } from './bad-use.ts';
import { FINE, VIOLATION } from './exit-status.ts';
import { openOutput } from './output.ts';

type Options = {
  readonly output: string;
  readonly confirm?: true;
  readonly vm?: readonly string[];
  readonly between?: readonly string[];
  readonly random?: number;
  readonly json?: true;
};

const requireUse = ({ confirm, vm, between, random, json }: Options): void => {
  if (between !== undefined || random !== undefined || json === true) {
    throw new BadUse('--render makes files from records: --between, --random and --json search.');
  }
  if ((confirm === true) !== (vm !== undefined)) {
    throw new BadUse('--confirm runs the causes on a kernel: name it with --vm.');
  }
};

export const renderAudits = async (options: Options): Promise<number> => {
  requireUse(options);
  for (const image of options.vm ?? []) requireImage(image);
  const { readAudits, writeAudits } = await import('./audit-folder.ts');
  const output = openOutput();
  const folder = options.output;
  let all = readAudits(folder, (error) => {
    throw error;
  });
  if (all.audits.length + all.changes.length === 0) {
    throw new BadUse(`There is no record of an audit in ${folder}. Name its folder with --output.`);
  }
  let hasRefuted = false;
  for (const image of options.vm ?? []) {
    const { refuted, ...shown } = await confirmations({
      images: [image],
      audits: all.audits,
      all: all.audits,
      reproduced: all.reproduced,
      output,
    });
    if (refuted.length > 0) {
      output.error(refutedText(refuted));
      hasRefuted = true;
    }
    all = { ...all, ...shown };
    // An hour's results of one kernel are kept if the next one does not start.
    await writeAudits(folder, all, true);
  }
  const paths = await writeAudits(folder, all, true);
  output.lines(paths.map((path) => `wrote ${path}`));
  return hasRefuted ? VIOLATION : FINE;
};
