// SPDX-License-Identifier: MIT
// Reads one line: which call it is about, with which error and fields, and what else it says.

import { pathsOf } from './calls.ts';
import type { CauseId } from './cause-id.ts';
import type { Clue, Hint } from './clue.ts';
import { errnoIn } from './errno-text.ts';
import { fieldsIn } from './fields-text.ts';
import type { Phrase } from './phrase.ts';
import { dpdkPhrases } from './phrases/dpdk.ts';
import { kernelPhrases } from './phrases/kernel.ts';
import { namePhrases, vaguePhrases } from './phrases/names.ts';
import { prefixPhrases, qemuPhrases } from './phrases/qemu.ts';
import { rustPhrases } from './phrases/rust.ts';

/** The first that has a call, an error or a program decides it: messages before names. */
const PHRASES: readonly Phrase[] = [
  ...kernelPhrases,
  ...rustPhrases,
  ...qemuPhrases,
  ...dpdkPhrases,
  ...namePhrases,
  ...prefixPhrases,
  ...vaguePhrases,
];

const PRINTED_MAX = 4096;

/** What the line says. A clue without calls, causes and hints says nothing that can be explained. */
export const readLine = (full: string, line: number): Clue => {
  const text = full.slice(0, PRINTED_MAX).trim();
  const said = PHRASES.filter(({ pattern }) => pattern.test(text));
  const program = said.find((one) => one.program !== undefined)?.program;
  const errno = errnoIn(text) ?? said.find((one) => one.errno !== undefined)?.errno;
  const paths = said.find((one) => one.paths !== undefined)?.paths;
  const named = said.find((one) => one.calls !== undefined)?.calls ?? [];
  const onPath = named.filter((call) => paths?.some((path) => pathsOf(call).includes(path)));
  const calls = onPath.length > 0 ? onPath : named;
  const hints = new Set<Hint>(said.flatMap((phrase) => phrase.hints ?? []));
  const causes = new Set<CauseId>(said.flatMap((phrase) => phrase.causes ?? []));
  return {
    line,
    text,
    calls,
    fields: fieldsIn(text),
    hints,
    causes,
    ...(program === undefined ? {} : { program }),
    ...(errno === undefined ? {} : { errno }),
    ...(paths === undefined ? {} : { paths }),
  };
};

const FAILS = /fail|error|cannot|can't|could ?n[o']t|unable|denied|refuse|\(-1\)/i;

/** Whether the line is about a call that failed, or states a cause. */
export const isUnderstood = ({ calls, causes, errno, text }: Clue): boolean =>
  causes.size > 0 || (calls.length > 0 && (errno !== undefined || FAILS.test(text)));
