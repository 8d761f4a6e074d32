// SPDX-License-Identifier: MIT
// MOCK_DOMAIN and MOCK_DOMAIN_FLAGS: create a mock device, bound and attached. iommufd_test_mock_domain() in
// drivers/iommu/iommufd/selftest.c.

import { decode } from '../abi/layout.ts';
import {
  MOCK_DOMAIN,
  MOCK_DOMAIN_FLAGS,
  MOCK_FLAGS_DEVICE_HUGE_IOVA,
  MOCK_FLAGS_DEVICE_NO_DIRTY,
  MOCK_FLAGS_DEVICE_PASID,
} from '../abi/test.ts';
import { type ObjectId, objectId } from '../abi/units.ts';
import { MOCK_IOMMU, templateFor } from '../hardware/templates.ts';
import { attach } from '../iommufd/attach.ts';
import {
  contextOfRequest,
  type Handler,
  idChoice,
  nextIds,
  type Request,
  respond,
  respondRules,
  stateOfRequest,
} from '../iommufd/request.ts';
import { withMemoryDoubt } from '../knowledge/memory-doubt.ts';
import { failed, failuresBy, type Outcome, succeeded, withChoices } from '../outcome/outcome.ts';
import { type Device, withObject } from '../state/context.ts';
import { type World, withState } from '../state/world.ts';
import { grants, isRefused, type Refused, refuses, rulesOf } from '../terms/rule.ts';

export const testMockDomainRules = rulesOf(
  {
    id: 'test-mock-domain',
    title: 'IOMMU_TEST_CMD MOCK_DOMAIN',
    source: 'mock_dev_create() in drivers/iommu/iommufd/selftest.c',
  },
  {
    unknownFlags: refuses('EINVAL', 'dev_flags has a flag that the release does not know.'),
    creates: grants(
      'Creates a mock device in a group of its own, bound and attached, and returns the ids of its test object, device and hwpt.',
      'iommufd_test_mock_domain() in drivers/iommu/iommufd/selftest.c',
    ),
  },
);

type MockDevice = { readonly world: World; readonly hwpt: ObjectId };

const createMockDevice = (
  request: Request,
  target: ObjectId,
  flags: number,
  selftest: ObjectId,
  id: ObjectId,
  fresh: ObjectId,
): MockDevice | Refused => {
  const { world } = request;
  const device: Device = {
    kind: 'device',
    iommu: MOCK_IOMMU,
    group: `mock ${world.mockDevices}`,
    reserved: [],
    enforcesCacheCoherency: false,
    hwpt: undefined,
    mock: {
      noDirty: (flags & MOCK_FLAGS_DEVICE_NO_DIRTY) !== 0,
      hugePages: (flags & MOCK_FLAGS_DEVICE_HUGE_IOVA) !== 0,
      pasids: (flags & MOCK_FLAGS_DEVICE_PASID) !== 0,
    },
  };
  const before = stateOfRequest(request);
  // The id of the device is valid already, that of the test object only after everything has been made.
  const bound = { context: withObject(before.context, id, device), memory: before.memory };
  const attached = attach(bound, id, target, {
    id: fresh,
    template: templateFor(world, device),
  });
  if (isRefused(attached)) return attached;
  const { context } = attached.state;
  const state = {
    context: withObject(context, selftest, { kind: 'selftest', device: id }),
    memory: attached.state.memory,
  };
  return {
    world: { ...withState(world, state), mockDevices: world.mockDevices + 1 },
    hwpt: attached.hwpt,
  };
};

const mockDomainWith = (request: Request, flags: number): readonly Outcome[] => {
  const { world } = request;
  if ((flags & ~world.release.mockDeviceFlags) !== 0) {
    return [failed(testMockDomainRules.unknownFlags, world)];
  }
  const { id: target } = decode(MOCK_DOMAIN, request.bytes);
  const [selftest, device, fresh] = nextIds(contextOfRequest(request), 3) as [
    ObjectId,
    ObjectId,
    ObjectId,
  ];
  const done = createMockDevice(request, target, flags, selftest, device, fresh);
  if (isRefused(done)) return failuresBy(done, world);
  const answer = respond(request, MOCK_DOMAIN, {
    out_stdev_id: selftest,
    out_hwpt_id: done.hwpt,
    out_idev_id: device,
  });
  if (!answer.whole) return [failed(respondRules.replyFault, world, [answer.write])];
  const makesHwpt = done.hwpt === fresh;
  const list = [
    idChoice(request, MOCK_DOMAIN, 'out_stdev_id', selftest),
    idChoice(request, MOCK_DOMAIN, 'out_idev_id', device),
    ...(makesHwpt ? [idChoice(request, MOCK_DOMAIN, 'out_hwpt_id', fresh)] : []),
  ];
  const after = (chosen: readonly bigint[]): World => {
    const [asSelftest, asDevice, asHwpt] = chosen.map((id) => objectId(Number(id)));
    const other = createMockDevice(
      request,
      target,
      flags,
      asSelftest ?? selftest,
      asDevice ?? device,
      asHwpt ?? fresh,
    );
    return isRefused(other) ? done.world : other.world;
  };
  const reply = withChoices(succeeded(testMockDomainRules.creates, done.world, [answer.write]), {
    list,
    world: after,
  });
  return withMemoryDoubt(reply, world, makesHwpt);
};

export const mockDomain: Handler = (request) => mockDomainWith(request, 0);

export const mockDomainFlags: Handler = (request) =>
  mockDomainWith(request, decode(MOCK_DOMAIN_FLAGS, request.bytes).dev_flags);
