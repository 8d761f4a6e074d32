// SPDX-License-Identifier: MIT
// KTAP: the plan counts the tests, each has one result line, and no text of a test becomes one or a directive.

import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type KtapTest, ktapLines } from '../../../oracle/report/ktap.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('a # SKIP b', 'ok 1 x', '1..9', '', '\nnot ok 1'),
);

const tests: fc.Arbitrary<readonly KtapTest[]> = fc.array(
  fc.record({
    name: text,
    result: fc.oneof(
      fc.constantFrom<('ok' | 'not ok')[]>('ok', 'not ok'),
      fc.record({ skip: text }),
    ),
    lines: fc.array(fc.constantFrom('', 'ok 1 x', 'a line', '1..9')),
  }),
);

const ktap = suite('KTAP');

ktap('there is a result for each test, in order, and only comments besides', () => {
  fc.assert(
    fc.property(tests, (all) => {
      const [version, plan, ...rest] = ktapLines(all);
      assert.is(version, 'KTAP version 1');
      assert.is(plan, `1..${all.length}`);
      const results = rest.filter((line) => !line.startsWith('#'));
      assert.is(results.length, all.length);
      for (const [index, { result }] of all.entries()) {
        const line = results[index] ?? '';
        assert.ok(line.startsWith(`${result === 'not ok' ? 'not ok' : 'ok'} ${index + 1} `), line);
        assert.is(/(?<!\\)#/.test(line), typeof result === 'object', line);
        assert.not.ok(line.includes('\n'));
      }
    }),
  );
});

ktap.run();
