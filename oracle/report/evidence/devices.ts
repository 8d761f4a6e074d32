// What decides the rules of devices' own files.

import { VFIO_DEVICE_BIND_FLAG_TOKEN } from '../../../spec/abi/vfio.ts';
import { deviceNamed, fileAt, openFile } from '../../../spec/state/world.ts';
import { isGroupOpen } from '../../../spec/vfio/open.ts';
import {
  type Facts,
  flagsWithin,
  lessThan,
  passed,
  type Witness,
  type Witnesses,
} from './condition.ts';

const deviceOf = (facts: Facts) => {
  const id = fileAt(facts.world, facts.call.process, facts.call.fd);
  const file = id === undefined ? undefined : openFile(facts.world, id);
  return file?.kind === 'device' || file?.kind === 'cdev' ? file : undefined;
};

const unknownFlags: Witness = (facts) => {
  const known = facts.world.release.bindKnowsTokens ? VFIO_DEVICE_BIND_FLAG_TOKEN : 0;
  return flagsWithin('flags', known)(facts);
};

const negative: Witness = (facts) => {
  const fd = Number(passed(facts, 'iommufd')) | 0;
  return { holds: fd < 0, fact: `the descriptor is ${fd}` };
};

const notOpen: Witness = (facts) => {
  const fd = Number(passed(facts, 'iommufd')) as Parameters<typeof fileAt>[2];
  const open = fileAt(facts.world, facts.call.process, fd) !== undefined;
  return { holds: !open, fact: `descriptor ${fd} is ${open ? 'open' : 'not open'}` };
};

const ofGroup: Witness = (facts) => {
  const file = deviceOf(facts);
  if (file === undefined) return undefined;
  const isOfGroup = file.kind === 'device';
  return {
    holds: isOfGroup,
    fact: `the device was ${isOfGroup ? 'got from its group' : 'opened by its own file'}`,
  };
};

const groupOpen: Witness = (facts) => {
  const file = deviceOf(facts);
  if (file === undefined) return undefined;
  const { group } = deviceNamed(facts.world, file.name);
  const isOpen = isGroupOpen(facts.world, group);
  return { holds: isOpen, fact: `group ${group} is ${isOpen ? 'open' : 'not open'}` };
};

const isBound =
  (holds: boolean): Witness =>
  (facts) => {
    const file = deviceOf(facts);
    if (file?.kind !== 'cdev') return undefined;
    return {
      holds: file.bound === holds,
      fact: `the descriptor has ${file.bound ? 'bound its device' : 'not bound its device'}`,
    };
  };

const inUse: Witness = (facts) => {
  const file = deviceOf(facts);
  if (file === undefined) return undefined;
  const open = facts.world.devices.has(file.name);
  return { holds: open, fact: `the device is ${open ? '' : 'not '}in use` };
};

export const deviceWitnesses: Witnesses = {
  'devices/not-bound': isBound(false),
  'VFIO_DEVICE_BIND_IOMMUFD/too-short': lessThan('argsz', 16n),
  'VFIO_DEVICE_BIND_IOMMUFD/unknown-flags': unknownFlags,
  'VFIO_DEVICE_BIND_IOMMUFD/negative-descriptor': negative,
  'VFIO_DEVICE_BIND_IOMMUFD/of-group': ofGroup,
  'VFIO_DEVICE_BIND_IOMMUFD/group-open': groupOpen,
  'VFIO_DEVICE_BIND_IOMMUFD/bound': isBound(true),
  'VFIO_DEVICE_BIND_IOMMUFD/bad-descriptor': notOpen,
  'VFIO_DEVICE_BIND_IOMMUFD/open-elsewhere': inUse,
  'VFIO_DEVICE_ATTACH_IOMMUFD_PT/too-short': lessThan('argsz', 12n),
  'VFIO_DEVICE_DETACH_IOMMUFD_PT/too-short': lessThan('argsz', 8n),
};
