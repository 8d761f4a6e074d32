// SPDX-License-Identifier: MIT
// Values of arguments and results, in the forms that strace's options give them: names, numbers, both, and with paths.

import { ERRNO } from '../../spec/abi/errno.ts';
import { ERROR_NUMBERS } from './error-numbers.ts';

/** A descriptor with the path that -y and -yy add. */
export type LoggedDescriptor = { readonly fd: number; readonly path: string | undefined };

/** What a call returned. */
export type LoggedResult =
  | { readonly kind: 'value'; readonly value: number; readonly path: string | undefined }
  | { readonly kind: 'error'; readonly errno: number }
  /** The call did not return: the process ended, or a signal came first. */
  | { readonly kind: 'none' };

const NUMBER = /^(-?)(0x[0-9a-f]{1,16}|\d{1,20})(?![\w.])/i;

/** "0x3b81", "12", "-100", "0x3b81 (IOMMU_IOAS_ALLOC)"; undefined where the text does not begin with a number. */
export const numberIn = (text: string): bigint | undefined => {
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const value = BigInt(match[2] as string);
  return BigInt.asIntN(64, match[1] === '-' ? -value : value);
};

const FD_MAX = 2 ** 31 - 1;

/** Octal escapes, as in a path that has a space or an angle bracket. */
const unescaped = (text: string): string =>
  text.replace(/\\(?:([0-7]{1,3})|x([0-9a-f]{2})|(.))/g, (_, octal, hex, other) =>
    octal !== undefined
      ? String.fromCharCode(Number.parseInt(octal, 8))
      : hex !== undefined
        ? String.fromCharCode(Number.parseInt(hex, 16))
        : ({ n: '\n', t: '\t', r: '\r' }[other as string] ?? other),
  );

/** The path in </dev/iommu> and </dev/iommu<char 10:125>>, which follow a descriptor. */
const pathOf = (text: string): string | undefined => {
  const inner = /^<((?:[^<>\\]|\\.|->){1,4096}?)(?:<[^<>]{0,256}>)?>/.exec(text);
  return inner?.[1] === undefined ? undefined : unescaped(inner[1]);
};

/** "3", "0x3", "3</dev/iommu>"; undefined for what is no open descriptor. */
export const descriptorIn = (text: string): LoggedDescriptor | undefined => {
  const match = /^(0x[0-9a-f]{1,16}|\d{1,10})(?=$|[<\s])/.exec(text);
  if (match === null) return undefined;
  const fd = Number(BigInt(match[1] as string));
  if (fd > FD_MAX) return undefined;
  return { fd, path: pathOf(text.slice(match[0].length)) };
};

/** The text of "/dev/iommu"; undefined for an address, or where strace cut it. */
export const stringIn = (text: string): string | undefined => {
  const match = /^"((?:[^"\\]|\\.){0,4096})"$/.exec(text);
  return match?.[1] === undefined ? undefined : unescaped(match[1]);
};

/** Whether a flag is in "CLONE_VM|CLONE_FILES", "0x400" or both; undefined where the text does not show it. */
export const hasFlag = (text: string, name: string, bit: bigint): boolean | undefined => {
  const value = numberIn(text);
  if (value !== undefined) return (value & bit) !== 0n || new RegExp(`\\b${name}\\b`).test(text);
  return /^[A-Z]/.test(text) ? new RegExp(`\\b${name}\\b`).test(text) : undefined;
};

const numbers: Readonly<Record<string, number>> = { ...ERROR_NUMBERS, ...ERRNO };

const I32_MAX = 2n ** 31n - 1n;

/** "0", "3</dev/iommu>", "0x3", "-1 EINVAL (Invalid argument)", "-1 (errno 22)", "?"; undefined for anything else. */
export const resultIn = (text: string): LoggedResult | undefined => {
  if (text.startsWith('?')) return { kind: 'none' };
  const failed = /^-1 (?:(E[A-Z0-9]{1,20}) \(.*\)|\(errno (\d{1,4})\))/.exec(text);
  if (failed !== null) {
    const [, name, number] = failed;
    // The kernel's own codes by which it restarts a call are not seen by the program.
    if (name?.startsWith('ERESTART')) return { kind: 'none' };
    const errno = name === undefined ? Number(number) : numbers[name];
    return errno === undefined || errno < 1 || errno > 4095 ? undefined : { kind: 'error', errno };
  }
  const value = numberIn(text);
  if (value === undefined) return undefined;
  if (value < 0n) return undefined;
  // Addresses: of no interest as a result of a call on a descriptor.
  const result = value <= I32_MAX ? value : I32_MAX;
  const path = pathOf(text.slice((NUMBER.exec(text)?.[0] ?? '').length));
  return { kind: 'value', value: Number(result), path };
};
