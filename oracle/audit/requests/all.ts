// SPDX-License-Identifier: MIT
// The requests that the search makes in each state.

import type { Operation } from '../../../model/programs/program.ts';
import type { PlatformDevice } from '../../../spec/terms/platform.ts';
import { CONTAINERS, groupHandle } from '../actions.ts';
import type { Scenario } from '../platforms.ts';
import type { Requests } from '../search.ts';
import { containerRequests } from './container.ts';
import { groupRequests } from './group.ts';
import { mapRequests, unmapRequests } from './mappings.ts';

export const requestsOn = ({ platform, groups, actionsAlone }: Scenario): Requests =>
  actionsAlone === true ? () => [] : requestsWith(platform.devices, groups);

/** The requests to the first container and the groups. */
const requestsWith = (devices: readonly PlatformDevice[], groups: readonly number[]): Requests =>
  function* requests(open, descriptorOf): Generator<Operation> {
    const container = CONTAINERS[0];
    if (open.has(container)) {
      const fd = descriptorOf(container);
      yield* containerRequests(fd);
      yield* mapRequests(fd);
      yield* unmapRequests(fd);
    }
    const descriptors = [...open.keys()].map(descriptorOf);
    for (const group of groups) {
      const handle = groupHandle(group);
      if (open.has(handle)) yield* groupRequests(descriptorOf(handle), descriptors, devices);
    }
  };
