// SPDX-License-Identifier: MIT
// The verdict on a call of a log of strace, which has neither its struct nor the machine. A reply that some struct and some
// machine allow is unknown, with the rules that may give it; one that none allows is a violation.

import { ERRNO, errnoName } from '../../spec/abi/errno.ts';
import {
  VFIO_CHECK_EXTENSION,
  VFIO_GET_API_VERSION,
  VFIO_GROUP_UNSET_CONTAINER,
  VFIO_SET_IOMMU,
} from '../../spec/abi/vfio.ts';
import { failed, type Reply, succeeded } from '../../spec/outcome/outcome.ts';
import { type RuleId, ruleAt } from '../../spec/rules.ts';
import { newContainer } from '../../spec/state/container.ts';
import { newContext } from '../../spec/state/context.ts';
import {
  emptyWorld,
  type OpenFile,
  type World,
  withDescriptor,
  withNewFile,
} from '../../spec/state/world.ts';
import type { Call, IoctlCall, Observation } from '../../spec/terms/call.ts';
import { MOCK_PLATFORM } from '../../spec/terms/platforms.ts';
import { RELEASE_NAMES } from '../../spec/terms/releases.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import { type Answers, answersOn, isSuccess } from '../strace/answers.ts';
import type { LoggedCall } from '../strace/follower.ts';
import type { FileKind } from '../strace/logged-file.ts';
import { lacksNeeds } from '../strace/needs.ts';
import { differencesFrom } from './compare.ts';
import { settingStating } from './facts.ts';
import type { Verdict } from './verdict.ts';

const UNTRACKED = 'the log has no structs, and so not what the calls changed';

/** A world of which nothing is known: not its machine, its release or its program. */
export const unknownWorld = (): World => {
  const release = RELEASE_NAMES.at(-1) as (typeof RELEASE_NAMES)[number];
  const credentials = { privileged: false, memlockLimit: 0n };
  const setting = settingStating({ release, platform: MOCK_PLATFORM, credentials }, {});
  return emptyWorld(setting, 'recorded');
};

/** A world that has nothing but the call's file. */
const worldOf = ({ call, file }: LoggedCall): World => {
  const world = unknownWorld();
  if (!('fd' in call)) return world;
  const made = withNewFile(world, (id): OpenFile => {
    const [only, ...others] = file.kinds;
    if (others.length === 0 && only === 'iommufd') {
      return { kind: 'iommufd', context: { ...newContext(id), untracked: UNTRACKED } };
    }
    if (only === 'container') {
      return { kind: 'container', container: { ...newContainer(id), untracked: UNTRACKED } };
    }
    return { kind: 'unspecified', path: file.path ?? 'a file that the log does not show' };
  });
  return withDescriptor(made.world, call.process, call.fd, made.id);
};

const OPENS: Readonly<Partial<Record<FileKind, RuleId>>> = {
  iommufd: 'open/iommufd',
  container: 'open/container',
  group: 'open/group',
  cdev: 'open/device',
};

const replyOf = (rule: Rule, world: World, result: number): Reply =>
  rule.errno === undefined ? succeeded(rule, world, [], result) : failed(rule, world);

/** For each error the first rule that gives it: the others say nothing more. */
const oneForEach = (rules: readonly Rule[]): readonly Rule[] =>
  [...new Map(rules.toReversed().map((rule) => [rule.errno ?? '', rule])).values()].reverse();

const violation = (
  { call }: LoggedCall,
  observation: Observation,
  rules: readonly Rule[],
  world: World,
): Verdict => ({
  kind: 'violation',
  call,
  observation,
  rejected: oneForEach(rules).map((rule) => {
    const reply = replyOf(rule, world, 0);
    return { reply, differences: differencesFrom(reply, [], observation, []) };
  }),
  world,
});

const RULES_NAMED = 4;

/** "ENOMEM is by a, b or c" */
const namedRules = (errno: number, rules: readonly Rule[]): string => {
  const ids = [...new Set(rules.map(({ id }) => id))];
  const named = ids.slice(0, RULES_NAMED).join(', ');
  const rest = ids.length - RULES_NAMED;
  const more = rest > 0 ? ` and ${rest} more` : '';
  return `${errnoName(errno)} may be by ${named}${more}`;
};

/** Errors that any call may return, for reasons of which no rule speaks. */
const ANY_CALL: ReadonlyMap<number, string> = new Map([
  [ERRNO.ENOMEM, 'an allocation of the kernel may have failed'],
  [ERRNO.EACCES, 'a security module may have refused it'],
  // EINTR, which the ABI of these calls does not have.
  [4, 'a signal may have ended it'],
]);

const BAD_DESCRIPTOR = ruleAt('descriptors/bad-descriptor');

/** Calls whose argument is no struct. */
const WITHOUT_STRUCT: ReadonlySet<number> = new Set([
  VFIO_GET_API_VERSION,
  VFIO_CHECK_EXTENSION,
  VFIO_SET_IOMMU,
  VFIO_GROUP_UNSET_CONTAINER,
]);

const NO_STRUCT = 'the log does not have the struct that the call passed';
const NO_STATE = 'the log does not show which of several rules gives the reply';

type OnKind = { readonly kind: FileKind; readonly answers: Answers };

const judgeSuccess = (
  logged: LoggedCall,
  call: IoctlCall,
  observation: Observation,
  all: readonly OnKind[],
  world: World,
): Verdict => {
  const { file, isWhole, madeAnywhere } = logged;
  const possible = all.filter(
    ({ kind, answers }) =>
      isSuccess(answers, observation.result) &&
      !(isWhole && file.isOpenedHere && lacksNeeds(kind, call.command, file.made, madeAnywhere)),
  );
  if (possible.length === 0) {
    const rules = all.flatMap(({ answers }) => [
      // What the call lacks is a refusal's reason; a wrong result is one beside the right ones.
      ...(isSuccess(answers, observation.result) ? [] : answers.grants),
      ...answers.refusals,
    ]);
    return violation(logged, observation, [...new Set(rules)], world);
  }
  if (possible.every(({ answers }) => answers.isUnspecified === true)) {
    return { kind: 'unspecified', what: 'an ioctl on a VFIO device', world };
  }
  if (!WITHOUT_STRUCT.has(call.command)) return { kind: 'unknown', why: NO_STRUCT, world };
  const [rule, ...others] = possible.flatMap(({ answers }) => answers.grants);
  return rule !== undefined && others.length === 0
    ? { kind: 'conforms', rule, world }
    : { kind: 'unknown', why: NO_STATE, world };
};

const judgeError = (
  logged: LoggedCall,
  call: IoctlCall,
  observation: Observation,
  all: readonly OnKind[],
  world: World,
): Verdict => {
  const { errno } = observation;
  const refusals = [...new Set(all.flatMap(({ answers }) => answers.refusals))];
  const giving = refusals.filter((rule) => rule.errno !== undefined && ERRNO[rule.errno] === errno);
  const whyAny = all.findLast(({ answers }) => answers.anyError !== undefined)?.answers.anyError;
  if (logged.file.kinds.includes('other') && whyAny !== undefined) {
    return { kind: 'unknown', why: whyAny, world };
  }
  if (giving.length > 0) {
    const [rule] = giving;
    const isCertain =
      giving.length === 1 && whyAny === undefined && WITHOUT_STRUCT.has(call.command);
    return isCertain && rule !== undefined
      ? { kind: 'conforms', rule, world }
      : { kind: 'unknown', why: `the log has no structs: ${namedRules(errno, giving)}`, world };
  }
  if (errno === ERRNO.EBADF && !logged.isWhole) {
    const why = 'the descriptor may have been closed by a call that the log does not have';
    return { kind: 'unknown', why, world };
  }
  const also = all.flatMap(({ answers }) => answers.alsoError ?? []);
  const ofOther = also.find((one) => ERRNO[one.errno] === errno)?.why;
  const beyond = ofOther ?? ANY_CALL.get(errno) ?? whyAny;
  if (beyond !== undefined)
    return { kind: 'unknown', why: `${errnoName(errno)}: ${beyond}`, world };
  const grants = [...new Set(all.flatMap(({ answers }) => answers.grants))];
  return violation(logged, observation, [...grants, ...refusals], world);
};

const judgeIoctl = (
  logged: LoggedCall,
  call: IoctlCall,
  observation: Observation,
  world: World,
): Verdict => {
  if (logged.isClosed) {
    if (observation.errno === ERRNO.EBADF) {
      return { kind: 'conforms', rule: BAD_DESCRIPTOR, world };
    }
    // Of a file that the log does not show to be closed it cannot be said that nothing opened it again.
    if (logged.file.isOpenedHere || logged.isWhole) {
      return violation(logged, observation, [BAD_DESCRIPTOR], world);
    }
  }
  const all = logged.file.kinds.map((kind) => ({ kind, answers: answersOn(kind, call.command) }));
  return observation.errno === 0
    ? judgeSuccess(logged, call, observation, all, world)
    : judgeError(logged, call, observation, all, world);
};

const judgeOther = (
  logged: LoggedCall,
  call: Exclude<Call, IoctlCall>,
  { errno }: Observation,
  world: World,
): Verdict => {
  const [kind = 'other'] = logged.file.kinds;
  if (call.kind === 'close') {
    return errno === 0
      ? { kind: 'conforms', rule: ruleAt('descriptors/closes'), world }
      : { kind: 'unknown', why: `close: ${errnoName(errno)}`, world };
  }
  const rule = OPENS[kind];
  if (errno === 0 && rule !== undefined) return { kind: 'conforms', rule: ruleAt(rule), world };
  const why = `${errnoName(errno)} of an open: the log shows neither permissions nor devices`;
  return { kind: 'unknown', why, world };
};

const NO_REPLY = 'the log does not have the reply: the call was interrupted, or the program ended';

/** The verdict on a call of a log. Its world has nothing but the file of the call. */
export const judgeLogged = (logged: LoggedCall): Verdict => {
  const world = worldOf(logged);
  const { call, observation } = logged;
  if (observation === undefined) return { kind: 'unknown', why: NO_REPLY, world };
  return call.kind === 'ioctl'
    ? judgeIoctl(logged, call, observation, world)
    : judgeOther(logged, call, observation, world);
};
