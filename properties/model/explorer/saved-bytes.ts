// SPDX-License-Identifier: MIT
// Bytes that were saved in pieces, read again in pieces of other lengths.

export const bytesInTurn = (pieces: Iterable<Uint8Array>): ((into: Uint8Array) => void) => {
  const bytes = Buffer.concat([...pieces].map((piece) => Buffer.from(piece)));
  let at = 0;
  return (into) => {
    if (at + into.length > bytes.length) throw new Error('More is read than was saved.');
    into.set(bytes.subarray(at, at + into.length));
    at += into.length;
  };
};
