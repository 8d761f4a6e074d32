// SPDX-License-Identifier: MIT
// The fact that decides a rule, for every rule that has a condition.

import { ruleIdOf } from '../../../spec/rules.ts';
import type { World } from '../../../spec/state/world.ts';
import { withStores } from '../../../spec/step.ts';
import type { IoctlCall } from '../../../spec/terms/call.ts';
import type { Rule } from '../../../spec/terms/rule.ts';
import { type CallContext, tableOfCall } from '../../decode/call-context.ts';
import { accessConditions } from './accesses.ts';
import type { Conditions, Evidence } from './condition.ts';
import { deviceConditions } from './devices.ts';
import { dispatchConditions } from './dispatch.ts';
import { mappingConditions } from './mapping.ts';
import { memoryConditions } from './memory.ts';
import { noIommuConditions } from './noiommu.ts';
import { objectConditions } from './objects.ts';
import { unmappingConditions } from './unmapping.ts';

export type { Evidence } from './condition.ts';

const CONDITIONS: Conditions = {
  ...dispatchConditions,
  ...mappingConditions,
  ...unmappingConditions,
  ...memoryConditions,
  ...objectConditions,
  ...accessConditions,
  ...deviceConditions,
  ...noIommuConditions,
};

/** The evidence for the rule and this call; undefined if there is none. */
export const evidenceFor = (
  rule: Rule,
  world: World,
  call: IoctlCall,
  about: CallContext,
): Evidence | undefined =>
  CONDITIONS[ruleIdOf(rule)]?.({
    ...about,
    // The world has the bytes that the program stored for the call.
    world: withStores(world, call.process, call.memory),
    call,
    table: tableOfCall(about),
    span: about.spans.find(({ what }) => what !== 'the range to copy from'),
  });
