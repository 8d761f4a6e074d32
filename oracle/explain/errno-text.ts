// SPDX-License-Identifier: MIT
// The error that a text has: as a number, as its name, or as what strerror() says.

import { ERRNO, type ErrnoName } from '../../spec/abi/errno.ts';

/** What glibc and musl print. */
const SENTENCES: readonly (readonly [RegExp, ErrnoName])[] = [
  [/operation not permitted/i, 'EPERM'],
  [
    /no such file or directory|\/dev\/\S+ (?:does not exist|not found)|not found: \/dev\//i,
    'ENOENT',
  ],
  [/(?:input\/output|I\/O) error/i, 'EIO'],
  [/no such device or address/i, 'ENXIO'],
  [/argument list too long/i, 'E2BIG'],
  [/bad file descriptor|file descriptor in bad state/i, 'EBADF'],
  [/cannot allocate memory|out of memory/i, 'ENOMEM'],
  [/permission denied/i, 'EACCES'],
  [/bad address/i, 'EFAULT'],
  [/device or resource busy|resource busy/i, 'EBUSY'],
  [/file exists/i, 'EEXIST'],
  [/no such device/i, 'ENODEV'],
  [/invalid argument/i, 'EINVAL'],
  [/too many open files/i, 'EMFILE'],
  [/inappropriate ioctl|not a tty/i, 'ENOTTY'],
  [/no space left on device/i, 'ENOSPC'],
  [/numerical result out of range|result too large/i, 'ERANGE'],
  [/value too large for/i, 'EOVERFLOW'],
  [/operation not supported|not supported$/i, 'EOPNOTSUPP'],
  [/address (?:already )?in use/i, 'EADDRINUSE'],
];

const NAMES = new Map<number, ErrnoName>(
  (Object.entries(ERRNO) as [ErrnoName, number][]).map(([name, number]) => [number, name]),
);

/** Numbers, in the order in which they are tried: those that can be nothing else first. */
const NUMBERS: readonly RegExp[] = [
  /\) ?= ?-(\d{1,3})\b/g,
  /\bOs \{ code: (\d{1,3})\b/g,
  /\bError\((\d{1,3})\)/g,
  /\b(?:errno|error|os error|err)\b[ :=(]*-?(\d{1,3})\b(?![.:]\d)/gi,
  // A result of -1 is that of the system call, and no error.
  /\b(?:ret|rc)\b[ :=(]*-?(?!1\b)(\d{1,3})\b(?![.:]\d)/gi,
  /\(-(?!1\b)(\d{1,3})\)/g,
  /(?:^|[\s:=,])-(\d{1,3})(?=$|[\s:),;.])/g,
];

/** The error in the text; undefined if it has none that these calls return. */
export const errnoIn = (text: string): ErrnoName | undefined => {
  for (const [, name] of text.matchAll(/\b(E[A-Z0-9]{2,})\b/g)) {
    if (name !== undefined && name in ERRNO) return name as ErrnoName;
  }
  for (const [pattern, name] of SENTENCES) if (pattern.test(text)) return name;
  for (const pattern of NUMBERS) {
    for (const [, number] of text.matchAll(pattern)) {
      const name = NAMES.get(Number(number));
      if (name !== undefined) return name;
    }
  }
  return undefined;
};
