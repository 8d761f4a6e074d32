// SPDX-License-Identifier: MIT
// The judge as a library, `iommufd-spec/judge`: verdicts on single calls, on recordings and traces as text, and on the
// state that no reply shows. It reads no files and runs in a browser.

export { type HiddenDifference, hiddenDifferences } from './check/hidden.ts';
export { judge } from './judge/judge.ts';
export { judgeText } from './judge/judge-text.ts';
export {
  addedVerdicts,
  type Difference,
  type JudgedCall,
  NO_VERDICTS,
  type Rejected,
  type Verdict,
  type VerdictCounts,
  type VerdictKind,
  type Violation,
} from './judge/verdict.ts';
export { type ExplainOptions, explainViolation } from './report/explain-violation.ts';
export { programText } from './report/program-text.ts';
export type { Verbosity } from './text/verbosity.ts';
export { BadInput } from './trace/bad-input.ts';
export {
  programOf,
  type Trace,
  type TracedOperation,
  type TraceFailure,
  type TraceHeader,
  TraceReader,
  traceLines,
} from './trace/trace-file.ts';
