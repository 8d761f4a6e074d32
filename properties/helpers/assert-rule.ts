// SPDX-License-Identifier: MIT
// Assertions that cite a rule: a misspelt citation does not compile.

import * as assert from 'uvu/assert';
import type { RuleId } from '../../spec/rules.ts';
import type { Rule } from '../../spec/terms/rule.ts';

export const assertRule = (rule: Rule | undefined, expected: RuleId): void =>
  assert.is(rule?.id, expected);
