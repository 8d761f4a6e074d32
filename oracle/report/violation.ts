// SPDX-License-Identifier: MIT
// A violation as data: everything that a reader needs to see what is wrong and why, without the recording.

import { errnoName } from '../../spec/abi/errno.ts';
import type { Reply } from '../../spec/outcome/outcome.ts';
import { partsMetBy } from '../../spec/parts-met.ts';
import type { IoctlCall } from '../../spec/terms/call.ts';
import type { ReleaseName } from '../../spec/terms/releases.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import { callContextOf } from '../decode/call-context.ts';
import { type Change, changesOf, isReadBack } from '../decode/changes.ts';
import { type DecodedCall, decodeCall, shapeOfCall } from '../decode/decode-call.ts';
import type { JudgedCall, Rejected, Verdict } from '../judge/verdict.ts';
import { descriptorText } from '../text/file-text.ts';
import { ACCEPTED_CALLS_SHOWN, type Verbosity } from '../text/verbosity.ts';
import { type FieldDifference, fieldDifferences } from './differences.ts';
import { type Evidence, evidenceFor } from './evidence/evidence.ts';
import { type Explanation, explain } from './explanation.ts';
import { type StateAround, stateAround } from './state.ts';
import { unmapHint } from './unmap-hint.ts';

export type AcceptedCall = {
  readonly line: number | undefined;
  readonly label: string | undefined;
  readonly call: DecodedCall;
  readonly result: string;
  readonly changes: readonly Change[];
  /** The rule by which it conforms; otherwise why it could not be judged. */
  readonly rule: string | undefined;
  readonly notJudged: string | undefined;
};

export type AllowedOutcome = {
  readonly rule: Rule;
  /** "0", "-1 EINVAL", "a descriptor". */
  readonly answer: string;
  readonly differences: readonly FieldDifference[];
  readonly evidence: Evidence | undefined;
};

export type ViolationReport = {
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly release: ReleaseName;
  /** The file does not state the release: the rules of all releases count. */
  readonly anyRelease?: true;
  /** The number of accepted calls before it, and the last of them. */
  readonly accepted: number;
  readonly before: readonly AcceptedCall[];
  readonly call: DecodedCall;
  /** The file that its descriptor refers to. */
  readonly on: string | undefined;
  readonly observed: {
    readonly result: string;
    readonly changes: readonly Change[];
    /** Whether any memory was read back: otherwise changes are not known. */
    readonly readBack: boolean;
  };
  readonly allowed: readonly AllowedOutcome[];
  readonly explanation: Explanation;
  readonly state: StateAround;
};

export const resultText = (result: number, errno: number): string =>
  errno === 0 ? `${result}` : `-1 ${errnoName(errno)}`;

const answerOf = (reply: Reply): string => {
  const chosen = reply.choices?.list.find(({ location }) => location.in === 'result');
  return chosen === undefined || reply.errno !== 0
    ? resultText(reply.result, reply.errno)
    : chosen.what;
};

const acceptedCall = ({
  line,
  label,
  call,
  observation,
  verdict,
  world,
}: JudgedCall): AcceptedCall => ({
  line,
  label,
  call: decodeCall(world, call),
  result: resultText(observation.result, observation.errno),
  changes: changesOf(world, call, observation),
  rule: verdict.kind === 'conforms' || verdict.kind === 'deviation' ? verdict.rule.id : undefined,
  notJudged:
    verdict.kind === 'unknown'
      ? verdict.why
      : verdict.kind === 'unspecified'
        ? verdict.what
        : undefined,
});

const NO_SHAPE = { name: '', argument: 'unused' } as const;

export const reportOf = (
  verdict: Extract<Verdict, { kind: 'violation' }>,
  place: { readonly file: string | undefined; readonly line: number | undefined },
  accepted: number,
  before: readonly JudgedCall[],
  verbosity: Verbosity,
): ViolationReport => {
  const { call, observation, world } = verdict;
  const about = callContextOf(world, call);
  const withChoice = callContextOf(world, call, observation);
  const ioctl: IoctlCall | undefined = call.kind === 'ioctl' ? call : undefined;
  const shape = ioctl === undefined ? NO_SHAPE : shapeOfCall(world, ioctl);
  const evidence = (rule: Rule): Evidence | undefined =>
    ioctl === undefined ? undefined : evidenceFor(rule, world, ioctl, about);
  const allowed = verdict.rejected.map(
    (rejected: Rejected): AllowedOutcome => ({
      rule: rejected.reply.rule,
      answer: answerOf(rejected.reply),
      differences: fieldDifferences(shape, ioctl, observation, rejected),
      evidence: evidence(rejected.reply.rule),
    }),
  );
  const result = resultText(observation.result, observation.errno);
  return {
    ...place,
    release: world.release.name,
    accepted,
    before: before.slice(-ACCEPTED_CALLS_SHOWN).map(acceptedCall),
    call: decodeCall(world, call),
    on: 'fd' in call ? descriptorText(world, call.process, call.fd) : undefined,
    observed: {
      result,
      changes: changesOf(world, call, observation),
      readBack: isReadBack(observation),
    },
    allowed,
    explanation: explain(
      partsMetBy(world, call),
      observation,
      allowed,
      evidence,
      unmapHint(world, call, about, observation),
    ),
    state: stateAround(world, call, withChoice, verbosity),
  };
};

/** The report where the file has neither structs nor state: what rests on them is left out. */
export const withoutState = (report: ViolationReport): ViolationReport => {
  const { observed, allowed } = report;
  return {
    ...report,
    anyRelease: true,
    allowed: allowed.map((outcome) => ({ ...outcome, evidence: undefined })),
    explanation: {
      facts: ['the struct may be any, and so may the state and the machine'],
      follows: allowed.map(({ rule, answer }) => `rule ${rule.id} may give ${answer}`),
      but: `it answered ${observed.result}, which no rule of the call gives then`,
      sameAnswer: [],
      likeliest: undefined,
    },
  };
};
