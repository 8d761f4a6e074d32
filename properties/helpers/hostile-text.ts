// SPDX-License-Identifier: MIT
// Text as a stranger may write it into a file, to end a literal or a comment, to forge a line of output, or to make a
// terminal, a browser or a preprocessor act on it.

import * as fc from 'fast-check';

/** What a terminal acts on: colours, a title, a bell, a carriage return, C1's CSI; and what turns text around or hides it. */
export const TERMINAL = [
  '\u001b[31m',
  '\u001b]0;title\u0007',
  '\r',
  '\u009b2J',
  '\u0085',
  '\u007f',
  '\u0000',
  '\b',
  '\u202e',
  '\u2066',
  '\u200b',
  '\ufeff',
  '\u2028',
  '\u2029',
  '\u{e0041}',
  '\ud800',
];

const C_CODE = [
  '*/',
  '/*',
  '*',
  '/',
  '\\',
  '\\\n',
  '\\ \n',
  '??/',
  '??/\n',
  '???',
  '"',
  '"" ',
  "'",
  '//',
  '\n#include </etc/hostname>\n',
  '\nint x;\n',
  'system("id");',
  'fails(',
  'device_moves(',
  'ARENA',
  'ANYTHING',
  'DATA',
  '-EPERM',
  'result = 1;',
  'int iommufd1 = result < 0 ? 0 : result;',
  '%s%n',
  'R"(',
  '%:',
  '<%',
  '_Pragma("GCC poison main")',
];

const MARKUP = [
  '<script>',
  '</title>',
  '"onload="',
  '&lt;',
  '|',
  '`',
  '```',
  '[a](b)',
  '# a',
  '~~',
];

const WORDS = ['a', ' ', '0', 'é', '漢', '😀', 'no violation', '\n', '\t', '{', '}', '0x1'];

/** Text of such pieces. */
export const hostileText: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...TERMINAL, ...C_CODE, ...MARKUP, ...WORDS), { maxLength: 12 })
  .map((pieces) => pieces.join(''));
