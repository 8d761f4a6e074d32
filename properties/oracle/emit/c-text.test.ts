// SPDX-License-Identifier: MIT
// Foreign text in C: a literal has exactly its bytes, and neither it nor a comment ends early.

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  bareC,
  c,
  cComment,
  cCommentBlock,
  cHex,
  cLines,
  cName,
  cString,
} from '../../../oracle/emit/c-text.ts';
import { hostileText } from '../../helpers/hostile-text.ts';

const RUNS = { seed: 1, numRuns: 2000 };

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '?': '?' };

/**
 * The bytes that a compiler makes of a string literal: read character by character, as the standard
 * says.
 */
const bytesOfLiteral = (literal: string): Uint8Array => {
  assert.ok(literal.length >= 2 && literal.startsWith('"') && literal.endsWith('"'), literal);
  const bytes: number[] = [];
  const inside = literal.slice(1, -1);
  for (let at = 0; at < inside.length; at += 1) {
    const character = inside[at] as string;
    if (character !== '\\') {
      assert.not.equal(character, '"');
      bytes.push(character.charCodeAt(0));
      continue;
    }
    const octal = /^[0-7]{1,3}/.exec(inside.slice(at + 1))?.[0];
    const known = ESCAPES[inside[at + 1] ?? ''];
    assert.ok(octal !== undefined || known !== undefined, literal);
    bytes.push(octal === undefined ? (known ?? '').charCodeAt(0) : Number.parseInt(octal, 8));
    at += octal?.length ?? 1;
  }
  return Uint8Array.from(bytes);
};

const isPrintable = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** Trigraphs, of which ??/ is a backslash. */
const TRIGRAPH = /\?\?[=/'()!<>-]/;

const text = suite('text in C');

text('a literal has the bytes of its text', () => {
  const law = fc.property(hostileText, (value) => {
    const literal = cString(value);
    assert.ok(isPrintable(literal) && !TRIGRAPH.test(literal), literal);
    assert.equal(bytesOfLiteral(literal), new Uint8Array(Buffer.from(value)));
  });
  fc.assert(law, RUNS);
});

text('or those that it is given', () => {
  const law = fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    assert.equal(bytesOfLiteral(cString(bytes)), bytes);
  });
  fc.assert(law, RUNS);
});

text('a comment ends at its end, and begins no other', () => {
  const law = fc.property(fc.array(hostileText, { maxLength: 4 }), hostileText, (lines, one) => {
    const block = cCommentBlock(lines);
    assert.is(block.split('\n').length, lines.length + 2);
    for (const comment of [block, cComment(one)]) {
      assert.is(comment.indexOf('*/'), comment.length - 2);
      assert.is(comment.lastIndexOf('/*'), 0);
      assert.ok(comment.split('\n').every(isPrintable), comment);
      assert.not.match(comment, /\\\s*$/m);
      assert.not.match(comment, TRIGRAPH);
    }
  });
  fc.assert(law, RUNS);
});

text('literals and comments contain no code', () => {
  const law = fc.property(hostileText, hostileText, (one, other) => {
    const made = c`before(${cString(one)}, ${cString(other)}); ${cComment(one)} after();`;
    assert.is(bareC(made), 'before("", "");   after();');
    assert.is(cLines(made).length, 1);
  });
  fc.assert(law, RUNS);
});

text('a name is one, and a number is whole', () => {
  for (const name of ['', '1a', 'a b', 'a;', 'struct a b', 'a\n', 'é', 'a-b', 'struct ']) {
    assert.throws(() => cName(name), /no name in C/);
  }
  assert.is(cName('struct iommu_ioas_map'), 'struct iommu_ioas_map');
  for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.throws(() => c`${value}`, /no whole number/);
    assert.throws(() => cHex(value), /no whole number/);
  }
  assert.throws(() => cHex(-1), /negative/);
  assert.is(c`${-5} ${cHex(255n, 4)}`, '-5 0x00ff');
});

text.run();
