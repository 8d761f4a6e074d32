// SPDX-License-Identifier: MIT
// Bytes as text: what is written is read back, and what is not a digit is refused.

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOfHex, bytesOfLatin1, hexOf, latin1Of } from '../../../spec/abi/bytes-text.ts';

const SEED = 14;

const text = suite('bytes as text');

text('hexadecimal digits are those of Node.js, in either case, and are read back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ max: 255 }), (bytes) => {
      const digits = hexOf(bytes);
      assert.is(digits, Buffer.from(bytes).toString('hex'));
      assert.equal(bytesOfHex(digits), bytes);
      assert.equal(bytesOfHex(digits.toUpperCase()), bytes);
    }),
    { seed: SEED },
  );
});

text('half a byte and a character that is not a digit are refused', () => {
  for (const wrong of ['0', '0g', 'g0', '0x', ' 0', '00\n0', '0\u0130', '\u01300']) {
    assert.is(bytesOfHex(wrong), undefined, JSON.stringify(wrong));
  }
});

text('characters of one byte are read back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.is(latin1Of(bytes), Buffer.from(bytes).toString('latin1'));
      assert.equal(bytesOfLatin1(latin1Of(bytes)), bytes);
    }),
    { seed: SEED },
  );
});

text.run();
