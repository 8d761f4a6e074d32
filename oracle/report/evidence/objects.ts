// SPDX-License-Identifier: MIT
// Conditions of the rules of objects, containers and options.

import { VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU } from '../../../spec/abi/vfio.ts';
import { valuesOf } from '../../../spec/collections/ordered-map.ts';
import { requiredAlignment } from '../../../spec/iopt/alignment.ts';
import { objectAt, usersOf } from '../../../spec/state/context.ts';
import { fileAt, openFile } from '../../../spec/state/world.ts';
import { usersText, whatIs } from '../../text/object-text.ts';
import { count, size } from '../../text/quantities.ts';
import { visible } from '../../text/visible.ts';
import {
  type Condition,
  type Conditions,
  type Facts,
  flagsWithin,
  isNo,
  isNoneOf,
  lessThan,
  notZero,
  onlyIf,
  passed,
} from './condition.ts';

const inUse: Condition = (facts) => {
  const [id] = facts.objects;
  if (facts.context === undefined || id === undefined) return undefined;
  const users = usersOf(facts.context, id);
  return {
    holds: users > 0,
    fact: `${whatIs(facts.context, id)}, used by ${usersText(facts.context, id)}`,
  };
};

const notInUse: Condition = (facts) => {
  const evidence = inUse(facts);
  return evidence === undefined ? undefined : { ...evidence, holds: evidence.holds === false };
};

const compatNone: Condition = ({ context }) =>
  context === undefined
    ? undefined
    : {
        holds: context.compatIoas === undefined,
        fact:
          context.compatIoas === undefined
            ? 'VFIO calls have no IOAS'
            : `VFIO calls use IOAS ${context.compatIoas}`,
      };

const unknownType: Condition = ({ call, context }) => ({
  holds:
    (call.argument !== VFIO_TYPE1_IOMMU && call.argument !== VFIO_TYPE1v2_IOMMU) ||
    context?.noIommu === true,
  fact: `the type is ${call.argument}`,
});

const cacheCoherent: Condition = ({ context, table }) => {
  if (context === undefined || table === undefined) return undefined;
  const coherent = table.domains.filter((id) => {
    const object = objectAt(context, id);
    return object?.kind === 'hwpt' && object.domain.enforcesCacheCoherency;
  });
  return {
    holds: true,
    fact: `${coherent.length} of ${count(table.domains.length, 'domain')} enforce coherent accesses`,
  };
};

const areasTooFine: Condition = ({ context, table }) => {
  if (context === undefined || table === undefined) return undefined;
  const least = requiredAlignment(context, table);
  return {
    holds: undefined,
    fact: `the alignment is ${size(table.alignment)}, its users ask for ${size(least)}`,
  };
};

const rlimitObjectsExist: Condition = ({ context }) =>
  context === undefined
    ? undefined
    : {
        holds: context.objects !== undefined,
        fact: context.objects === undefined ? 'there is no object' : 'there are objects',
      };

const notPrivileged: Condition = ({ world }) => ({
  holds: !world.setting.credentials.privileged,
  fact: `the program is ${world.setting.credentials.privileged ? '' : 'not '}privileged`,
});

const groupOf = (facts: Facts) => {
  const id = fileAt(facts.world, facts.call.process, facts.call.fd);
  const file = id === undefined ? undefined : openFile(facts.world, id);
  return file?.kind === 'group' ? file : undefined;
};

const hasContainer: Condition = (facts) => {
  const group = groupOf(facts);
  if (group === undefined) return undefined;
  const has = group.container !== undefined;
  return { holds: has, fact: `the group has ${has ? 'a container' : 'no container'}` };
};

const hasNoContainer: Condition = (facts) => {
  const evidence = hasContainer(facts);
  return evidence === undefined ? undefined : { ...evidence, holds: evidence.holds === false };
};

const badDescriptor: Condition = (facts) => {
  const fd = Number(passed(facts, 'fd')) as Parameters<typeof fileAt>[2];
  const open = fileAt(facts.world, facts.call.process, fd) !== undefined;
  return { holds: !open, fact: `descriptor ${fd} is ${open ? 'open' : 'not open'}` };
};

const noDevice: Condition = (facts) => {
  const group = groupOf(facts);
  if (group === undefined) return undefined;
  const names = facts.world.setting.platform.devices
    .filter((device) => device.group === group.group)
    .map(({ name }) => `"${visible(name)}"`);
  return { holds: undefined, fact: `group ${group.group} has ${names.join(' and ')}` };
};

const groupElsewhere: Condition = ({ context }) => {
  if (context === undefined) return undefined;
  let attached = 0;
  for (const object of valuesOf(context.objects)) {
    if (object.kind === 'device' && object.hwpt !== undefined) attached += 1;
  }
  return { holds: undefined, fact: `${count(attached, 'device')} of the iommufd are attached` };
};

const noIoasForAccess: Condition = (facts) => {
  if (facts.shape.name === 'IOMMU_TEST_CMD CREATE_ACCESS') return isNo('id', 'ioas')(facts);
  return facts.shape.name === 'IOMMU_TEST_CMD ACCESS_REPLACE_IOAS'
    ? isNo('ioas_id', 'ioas')(facts)
    : undefined;
};

/** The field that names the object to attach a device to. */
const attachTarget =
  (condition: (field: string) => Condition): Condition =>
  (facts) => {
    const { name } = facts.shape;
    if (name === 'IOMMU_TEST_CMD MOCK_DOMAIN_REPLACE' || name === 'VFIO_DEVICE_ATTACH_IOMMUFD_PT') {
      return condition('pt_id')(facts);
    }
    return facts.shape.name.startsWith('IOMMU_TEST_CMD MOCK_DOMAIN')
      ? condition('id')(facts)
      : undefined;
  };

const operationIs =
  (operation: bigint) =>
  (facts: Facts): boolean =>
    passed(facts, 'op') === operation;

const ofRlimit = (condition: Condition): Condition =>
  onlyIf((facts) => passed(facts, 'option_id') === 0n, 'the option is not RLIMIT_MODE', condition);
const ofHugePages = (condition: Condition): Condition =>
  onlyIf((facts) => passed(facts, 'option_id') === 1n, 'the option is not HUGE_PAGES', condition);
const setting = (condition: Condition): Condition =>
  onlyIf(operationIs(0n), 'the operation is not SET', condition);

export const objectConditions: Conditions = {
  'destroy/no-object': isNo('id'),
  'destroy/in-use': inUse,
  'destroy/destroys': notInUse,
  'ioas-alloc/unknown-flags': notZero('flags'),
  'ioas-allow-iovas/reserved-field': notZero('__reserved'),
  'ioas-allow-iovas/no-ioas': isNo('ioas_id', 'ioas'),
  'ioas-iova-ranges/reserved-field': notZero('__reserved'),
  'ioas-iova-ranges/no-ioas': isNo('ioas_id', 'ioas'),
  'option/reserved-field': notZero('__reserved'),
  'option/unknown-option': isNoneOf('option_id', 0n, 1n),
  'option/unknown-operation': isNoneOf('op', 0n, 1n),
  'option/rlimit-object': ofRlimit(notZero('object_id')),
  'option/rlimit-not-privileged': ofRlimit(setting(notPrivileged)),
  'option/rlimit-objects-exist': ofRlimit(setting(rlimitObjectsExist)),
  'option/rlimit-value': ofRlimit(setting(isNoneOf('val64', 0n, 1n))),
  'option/huge-pages-no-ioas': ofHugePages(isNo('object_id', 'ioas')),
  'option/huge-pages-value': ofHugePages(setting(isNoneOf('val64', 0n, 1n))),
  'vfio-ioas/reserved-field': notZero('__reserved'),
  'vfio-ioas/no-compat-ioas': onlyIf(operationIs(0n), 'the operation is not GET', compatNone),
  'vfio-ioas/no-ioas': onlyIf(operationIs(1n), 'the operation is not SET', isNo('ioas_id', 'ioas')),
  'vfio-ioas/unknown-operation': isNoneOf('op', 0n, 1n, 2n),
  'hwpt-alloc/reserved-field': notZero('__reserved'),
  'hwpt-alloc/no-device': isNo('dev_id', 'device'),
  'hwpt-alloc/no-target': isNo('pt_id'),
  'hwpt-alloc/not-a-target': isNo('pt_id', 'ioas', 'hwpt', 'unspecified'),
  'ioas-change-process/reserved-field': notZero('__reserved'),
  'compat-ioas/none': onlyIf(
    ({ shape, call }) => shape.name !== 'VFIO_CHECK_EXTENSION' || call.argument === 4n,
    'only DMA_CC checks an IOAS',
    compatNone,
  ),
  'compat-check-extension/cache-coherent': cacheCoherent,
  'compat-set-iommu/unknown-type': unknownType,
  'compat-get-info/too-short': lessThan('argsz', 16n),
  'compat-map-dma/too-short': lessThan('argsz', 32n),
  'compat-unmap-dma/too-short': lessThan('argsz', 24n),
  'group-get-status/too-short': lessThan('argsz', 8n),
  'group-set-container/bad-descriptor': badDescriptor,
  'group-set-container/has-container': hasContainer,
  'group-unset-container/no-container': hasNoContainer,
  'group-get-device-fd/no-container': hasNoContainer,
  'group-get-device-fd/no-device': noDevice,
  'alignment/misaligned-area': areasTooFine,
  'attaching/no-target': attachTarget((field) => isNo(field)),
  'attaching/not-a-target': attachTarget((field) => isNo(field, 'ioas', 'hwpt', 'unspecified')),
  'attaching/group-elsewhere': groupElsewhere,
  'attaching-access/no-ioas': noIoasForAccess,
  'test-create-access/unknown-flags': flagsWithin('flags', 1),
  'test-add-reserved/no-ioas': isNo('id', 'ioas'),
  'test-mock-domain-replace/no-device': isNo('id', 'selftest'),
  'test-md-check-map/no-hwpt': isNo('id', 'hwpt'),
};
