// SPDX-License-Identifier: MIT
// iommufd-spec explain: why a call failed, from its reply or from the line that a program printed.

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { type Explained, explain } from '../explain/explain.ts';
import { explainedJson } from '../explain/explanation-json.ts';
import { explainedText } from '../explain/explanation-text.ts';
import { partlyText } from '../explain/partly-text.ts';
import { assumedFor } from '../explain/releases.ts';
import { jsonLine } from '../trace/json-line.ts';
import { linesOf } from '../trace/lines.ts';
import { BadUse } from './bad-use.ts';
import { BAD_INPUT, FINE } from './exit-status.ts';
import { openOutput } from './output.ts';

type Options = { readonly release?: string; readonly json?: true; readonly all?: true };

const EXAMPLES = `
Examples:
  $ iommufd-spec explain VFIO_IOMMU_MAP_DMA -22 iova=0x382800000000 size=0x400000000 --release 7.2
  $ iommufd-spec explain 'vfio_container_dma_map(0x55da3da99aa0, 0x0, 0x80000000, 0x7fb440000000) = -12 (Cannot allocate memory)'
  $ iommufd-spec explain qemu.log
  $ dmesg | iommufd-spec explain

The words are one line, unless all of them are files; - is standard input, which is read if there are no words. What is
read are messages of QEMU, libvirt, DPDK, SPDK, cloud-hypervisor, crosvm and the kernel, lines of strace, and calls by
their names with an error (-22, EINVAL) and fields (iova=, size=, vaddr=). Lines of one file are taken as one program on one
machine.
Exit status: 0 explained, 2 not understood.`;

const decoder = new TextDecoder();

const linesOfFile = async (file: string): Promise<readonly string[]> => {
  const lines: string[] = [];
  for await (const { chunk, start, end } of linesOf(file)) {
    lines.push(decoder.decode(chunk.subarray(start, end)));
  }
  return lines;
};

const inputs = async (words: readonly string[]): Promise<readonly string[]> => {
  const files = words.length === 0 ? ['-'] : words;
  if (!files.every((word) => word === '-' || existsSync(word))) return [words.join(' ')];
  return (await Promise.all(files.map(linesOfFile))).flat();
};

const print = (explained: Explained, note: string, options: Options): number => {
  const output = openOutput();
  if (options.json === true) output.line(jsonLine(explainedJson(explained, note)));
  if (explained.explanations.length === 0) {
    output.error(partlyText(explained));
    return BAD_INPUT;
  }
  if (options.json !== true) {
    output.lines(explainedText(explained, note, options.all === true, output.palette));
  }
  return FINE;
};

const explainWords = async (words: readonly string[], options: Options): Promise<number> => {
  const assumed = assumedFor(options.release);
  if (assumed === undefined) {
    throw new BadUse(
      `--release ${options.release} is not a version of Linux, such as 7.2 or 6.14.0-29-generic.`,
    );
  }
  const lines = await inputs(words);
  return print(explain(lines, assumed.releases), assumed.note, options);
};

export const addExplain = (program: Command): void => {
  program
    .command('explain')
    .description('say why a call failed, from its reply or from a line of a log')
    .argument('[words...]', 'a line, or files with lines; - is standard input')
    .option('--release <version>', 'the version of Linux, such as 7.2 or 6.14.0-29-generic')
    .option('--all', 'explain every cause, not only the likeliest')
    .option('--json', 'print one line of JSON')
    .allowUnknownOption()
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], options: Options) => {
      process.exitCode = await explainWords(words, options);
    });
};
