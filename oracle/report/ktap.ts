// SPDX-License-Identifier: MIT
// Results in the Kernel Test Anything Protocol (Documentation/dev-tools/ktap.rst), which kselftest and LKFT read.

import { visible } from '../text/visible.ts';

export type KtapTest = {
  readonly name: string;
  /** 'skip': nothing was tested, for the reason. */
  readonly result: 'ok' | 'not ok' | { readonly skip: string };
  /** Diagnostic lines. */
  readonly lines: readonly string[];
};

/** A name or a reason: '#' would start a directive. */
const escaped = (text: string): string => visible(text).replaceAll('#', '\\#');

const testLines = ({ name, result, lines }: KtapTest, number: number): readonly string[] => {
  const [status, directive] =
    typeof result === 'string'
      ? [result, '']
      : (['ok', ` # SKIP ${escaped(result.skip)}`] as const);
  return [
    ...lines.map((line) => (line === '' ? '#' : `# ${line}`)),
    `${status} ${number} ${escaped(name)}${directive}`,
  ];
};

/** All lines, with the plan. */
export const ktapLines = (tests: readonly KtapTest[]): readonly string[] => [
  'KTAP version 1',
  `1..${tests.length}`,
  ...tests.flatMap((test, index) => testLines(test, index + 1)),
];
