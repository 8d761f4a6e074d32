// SPDX-License-Identifier: MIT
// Conversions between bytes and text: hexadecimal, two digits a byte, and Latin-1, one character a byte.

const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** The value of a hexadecimal digit by its character code; -1 for any other character. */
export const DIGIT = new Int8Array(256).fill(-1);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  DIGIT[digit.charCodeAt(0)] = value;
  DIGIT[digit.toUpperCase().charCodeAt(0)] = value;
}

/** "0c00ff": two lower-case digits a byte. */
export const hexOf = (bytes: Uint8Array): string => {
  let text = '';
  for (let at = 0; at < bytes.length; at += 1) text += DIGITS[bytes[at] as number];
  return text;
};

/** The bytes of a hexadecimal text; undefined if it is not one. */
export const bytesOfHex = (text: string): Uint8Array<ArrayBuffer> | undefined => {
  if (text.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(text.length >> 1);
  for (let at = 0; at < bytes.length; at += 1) {
    const high = DIGIT[text.charCodeAt(2 * at)] ?? -1;
    const low = DIGIT[text.charCodeAt(2 * at + 1)] ?? -1;
    if ((high | low) < 0) return undefined;
    bytes[at] = (high << 4) | low;
  }
  return bytes;
};

/** One byte a character: the low eight bits of its code. */
export const bytesOfLatin1 = (text: string): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
};

/** One character a byte. */
export const latin1Of = (bytes: Uint8Array): string => {
  let text = '';
  for (let at = 0; at < bytes.length; at += 1) text += String.fromCharCode(bytes[at] as number);
  return text;
};
