// The fact that decides a rule, for every rule that has a witness.

import { ruleIdOf } from '../../../spec/rules.ts';
import type { World } from '../../../spec/state/world.ts';
import { withStores } from '../../../spec/step.ts';
import type { IoctlCall } from '../../../spec/terms/call.ts';
import type { Rule } from '../../../spec/terms/rule.ts';
import { type Concern, tableOfConcern } from '../../decode/call-context.ts';
import { accessWitnesses } from './accesses.ts';
import type { Evidence, Witnesses } from './condition.ts';
import { deviceWitnesses } from './devices.ts';
import { dispatchWitnesses } from './dispatch.ts';
import { mappingWitnesses } from './mapping.ts';
import { memoryWitnesses } from './memory.ts';
import { noIommuWitnesses } from './noiommu.ts';
import { objectWitnesses } from './objects.ts';
import { unmappingWitnesses } from './unmapping.ts';

export type { Evidence } from './condition.ts';

const WITNESSES: Witnesses = {
  ...dispatchWitnesses,
  ...mappingWitnesses,
  ...unmappingWitnesses,
  ...memoryWitnesses,
  ...objectWitnesses,
  ...accessWitnesses,
  ...deviceWitnesses,
  ...noIommuWitnesses,
};

/** What decides the rule for this call; undefined where nothing is known to say. */
export const evidenceFor = (
  rule: Rule,
  world: World,
  call: IoctlCall,
  concern: Concern,
): Evidence | undefined =>
  WITNESSES[ruleIdOf(rule)]?.({
    ...concern,
    // What the program put into memory for the call stands there when it is made.
    world: withStores(world, call.process, call.memory),
    call,
    table: tableOfConcern(concern),
    stretch: concern.stretches.find(({ what }) => what !== 'the range to copy from'),
  });
