// SPDX-License-Identifier: MIT
// A value from a file for a message: as JSON, and short.

const LONGEST = 60;

const forJson = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `0x${value.toString(16)}` : value;

export const shown = (value: unknown): string => {
  const text = JSON.stringify(value, forJson) ?? 'nothing';
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
};
