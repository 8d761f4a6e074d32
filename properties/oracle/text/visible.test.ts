// SPDX-License-Identifier: MIT
// Foreign text on a terminal, in JSON and in pages: nothing active is left of it, and nothing else
// is changed.

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { COLOURED } from '../../../oracle/text/colours.ts';
import { fencedLine, htmlText, markdownText } from '../../../oracle/text/markup.ts';
import { printable, visible, visibleLines } from '../../../oracle/text/visible.ts';
import { BadInput } from '../../../oracle/trace/bad-input.ts';
import { jsonLine } from '../../../oracle/trace/json-line.ts';
import { hostileText, TERMINAL } from '../../helpers/hostile-text.ts';

const RUNS = { seed: 1, numRuns: 2000 };

/** Independent of the function under test: by number, not by property. */
const isActive = (character: string): boolean => {
  const code = character.codePointAt(0) ?? 0;
  return (
    code < 0x20 ||
    (code >= 0x7f && code <= 0x9f) ||
    code === 0xad ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    (code >= 0xd800 && code <= 0xdfff) ||
    code === 0xfeff ||
    (code >= 0xe0000 && code <= 0xe007f)
  );
};

const ESCAPE = '\u001b';
const ATTRIBUTES = [0, 1, 2, 22, 31, 32, 33, 34, 35, 36, 39];

const withoutColours = (text: string): string =>
  ATTRIBUTES.reduce((rest, number) => rest.replaceAll(`${ESCAPE}[${number}m`, ''), text);

const active = (text: string): string => [...text].filter(isActive).join('');

const text = suite('text from files');

text('is a line of characters with a shape, and the others stay as they are', () => {
  const law = fc.property(hostileText, (value) => {
    const shown = visible(value);
    assert.is(active(shown), '');
    assert.is(visible(shown), shown);
    if (active(value) === '') assert.is(shown, value);
  });
  fc.assert(law, RUNS);
  for (const piece of TERMINAL) assert.match(visible(piece), /^(?:\\|[\x20-\x7e])/);
  assert.is(visible('a\u001b[31m\r\n\tb\u202e漢é'), 'a\\x1b[31m\\r\\n\\tb\\u202e漢é');
});

text('may have lines, each of which is visible', () => {
  assert.equal(visibleLines('a\u0007\r\nb\n'), ['a\\x07', 'b', '']);
});

text('is printed without what is no line end, no tab and no colour of ours', () => {
  const law = fc.property(hostileText, fc.boolean(), (value, isColoured) => {
    const shown = printable(value, false);
    assert.is(active(shown).replace(/[\n\t]/g, ''), '');
    const ours = COLOURED.bad(COLOURED.title(visible(value)));
    assert.is(printable(ours, true), ours);
    assert.is(active(withoutColours(printable(value, isColoured))).replace(/[\n\t]/g, ''), '');
  });
  fc.assert(law, RUNS);
  for (const paint of Object.values(COLOURED)) {
    assert.is(printable(paint('x'), true), paint('x'));
    assert.not.ok(printable(paint('x'), false).includes(ESCAPE));
  }
});

text('in JSON is what it was, and nothing that acts on a terminal', () => {
  const law = fc.property(hostileText, hostileText, (name, value) => {
    const line = jsonLine({ [name]: [value] });
    assert.is(active(line), '');
    assert.equal(JSON.parse(line), JSON.parse(JSON.stringify({ [name]: [value] })));
  });
  fc.assert(law, RUNS);
});

text('in a message is in its one line', () => {
  const law = fc.property(hostileText, hostileText, (file, what) => {
    assert.is(active(new BadInput(file, 3, what).message), '');
  });
  fc.assert(law, RUNS);
});

text('in HTML and SVG is no markup', () => {
  const ENTITY = /&(?:amp|lt|gt|quot|#39);/g;
  const law = fc.property(hostileText, (value) => {
    const shown = htmlText(value);
    assert.not.match(shown.replaceAll(ENTITY, ''), /[&<>"']/);
    assert.is(active(shown).replaceAll('\n', ''), '');
  });
  fc.assert(law, RUNS);
  assert.is(htmlText('a < b\n'), 'a &lt; b\n');
});

text('in Markdown is no markup', () => {
  const law = fc.property(hostileText, (value) => {
    const shown = markdownText(value);
    assert.is(active(shown), '');
    assert.not.match(shown.replaceAll(/\\[!-/:-@[-`{-~]/g, 'x'), /[`*[\]<>#|~&!]|^[-+=]|^\d+[.)]/);
    assert.not.match(fencedLine(value), /^ {0,3}(?:```|~~~)/);
  });
  fc.assert(law, RUNS);
  assert.is(markdownText('vfio_iommu_type1 behind VT-d, 2'), 'vfio_iommu_type1 behind VT-d, 2');
  assert.is(markdownText('see http://a.b'), 'see http\\://a.b');
});

text.run();
