// SPDX-License-Identifier: MIT
// Conditions of the rules of device cdevs.

import { VFIO_DEVICE_BIND_FLAG_TOKEN } from '../../../spec/abi/vfio.ts';
import { deviceNamed, fileAt, openFile } from '../../../spec/state/world.ts';
import { isGroupOpen } from '../../../spec/vfio/open.ts';
import {
  type Condition,
  type Conditions,
  type Facts,
  flagsWithin,
  lessThan,
  passed,
} from './condition.ts';

const deviceOf = (facts: Facts) => {
  const id = fileAt(facts.world, facts.call.process, facts.call.fd);
  const file = id === undefined ? undefined : openFile(facts.world, id);
  return file?.kind === 'device' || file?.kind === 'cdev' ? file : undefined;
};

const unknownFlags: Condition = (facts) => {
  const known = facts.world.release.bindKnowsTokens ? VFIO_DEVICE_BIND_FLAG_TOKEN : 0;
  return flagsWithin('flags', known)(facts);
};

const negative: Condition = (facts) => {
  const fd = Number(passed(facts, 'iommufd')) | 0;
  return { holds: fd < 0, fact: `the descriptor is ${fd}` };
};

const notOpen: Condition = (facts) => {
  const fd = Number(passed(facts, 'iommufd')) as Parameters<typeof fileAt>[2];
  const open = fileAt(facts.world, facts.call.process, fd) !== undefined;
  return { holds: !open, fact: `descriptor ${fd} is ${open ? 'open' : 'not open'}` };
};

const ofGroup: Condition = (facts) => {
  const file = deviceOf(facts);
  if (file === undefined) return undefined;
  const isOfGroup = file.kind === 'device';
  return {
    holds: isOfGroup,
    fact: `the device was ${isOfGroup ? 'got from its group' : 'opened by its own file'}`,
  };
};

const groupOpen: Condition = (facts) => {
  const file = deviceOf(facts);
  if (file === undefined) return undefined;
  const { group } = deviceNamed(facts.world, file.name);
  const isOpen = isGroupOpen(facts.world, group);
  return { holds: isOpen, fact: `group ${group} is ${isOpen ? 'open' : 'not open'}` };
};

const isBound =
  (holds: boolean): Condition =>
  (facts) => {
    const file = deviceOf(facts);
    if (file?.kind !== 'cdev') return undefined;
    return {
      holds: file.bound === holds,
      fact: `the descriptor has ${file.bound ? 'bound its device' : 'not bound its device'}`,
    };
  };

const inUse: Condition = (facts) => {
  const file = deviceOf(facts);
  if (file === undefined) return undefined;
  const open = facts.world.devices.has(file.name);
  return { holds: open, fact: `the device is ${open ? '' : 'not '}in use` };
};

export const deviceConditions: Conditions = {
  'device-dispatch/not-bound': isBound(false),
  'device-bind-iommufd/too-short': lessThan('argsz', 16n),
  'device-bind-iommufd/unknown-flags': unknownFlags,
  'device-bind-iommufd/negative-descriptor': negative,
  'device-bind-iommufd/of-group': ofGroup,
  'device-bind-iommufd/group-open': groupOpen,
  'device-bind-iommufd/bound': isBound(true),
  'device-bind-iommufd/bad-descriptor': notOpen,
  'device-bind-iommufd/open-elsewhere': inUse,
  'device-attach-iommufd-pt/too-short': lessThan('argsz', 12n),
  'device-detach-iommufd-pt/too-short': lessThan('argsz', 8n),
};
