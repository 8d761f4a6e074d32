// SPDX-License-Identifier: MIT
// The rules that no test reaches, each with the reason. A rule that a test comes to reach must leave the table.

import type { RuleId } from '../../spec/rules.ts';

export type UnreachableRule = { readonly rule: RuleId; readonly reason: string };

export const UNREACHABLE_RULES: readonly UnreachableRule[] = [
  {
    rule: 'cutting/large-pages',
    reason:
      'areas are cut only where large pages are disabled; the kernel checks again for a thread that enables them meanwhile',
  },
  {
    rule: 'accesses/read-only-pages',
    reason: 'a writable area has writable memory, and the area is checked first',
  },
];
