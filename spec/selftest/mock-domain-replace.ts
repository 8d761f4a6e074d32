// SPDX-License-Identifier: MIT
// MOCK_DOMAIN_REPLACE: moves a mock device to another IOAS or hwpt. iommufd_test_mock_domain_replace() in
// drivers/iommu/iommufd/selftest.c.

import { decode } from '../abi/layout.ts';
import { MOCK_DOMAIN_REPLACE } from '../abi/test.ts';
import { type ObjectId, objectId } from '../abi/units.ts';
import { templateFor } from '../hardware/templates.ts';
import { replace } from '../iommufd/attach.ts';
import {
  contextOfRequest,
  type Handler,
  idChoice,
  respond,
  stateOfRequest,
} from '../iommufd/request.ts';
import { unspecified } from '../iommufd/untracked.ts';
import { withMemoryDoubt } from '../knowledge/memory-doubt.ts';
import { failed, failuresBy, type Outcome, succeeded, withChoices } from '../outcome/outcome.ts';
import { deviceAt, lowestFreeId, objectAt } from '../state/context.ts';
import { type World, withState } from '../state/world.ts';
import { grants, isRefused, refuses, rulesOf } from '../terms/rule.ts';

export const testMockDomainReplaceRules = rulesOf(
  {
    id: 'test-mock-domain-replace',
    title: 'IOMMU_TEST_CMD MOCK_DOMAIN_REPLACE',
    source: 'iommufd_test_mock_domain_replace() in drivers/iommu/iommufd/selftest.c',
  },
  {
    noDevice: refuses('ENOENT', 'The id is not that of the test object of a mock device.'),
    replaces: grants(
      'Moves the device to another domain; pt_id returns its hwpt. An automatic hwpt that has no device left is destroyed.',
    ),
    replyFault: refuses('EFAULT', 'The struct cannot be written back; the device stays moved.'),
  },
);

export const mockDomainReplace: Handler = (request): readonly Outcome[] => {
  const { world } = request;
  const { id, pt_id: target } = decode(MOCK_DOMAIN_REPLACE, request.bytes);
  const context = contextOfRequest(request);
  const object = objectAt(context, id);
  if (object?.kind !== 'selftest') return [failed(testMockDomainReplaceRules.noDevice, world)];
  const device = deviceAt(context, object.device);
  if (device === undefined) throw new Error(`The test object ${id} outlived its device.`);
  if (objectAt(context, target)?.kind === 'unspecified') {
    return [unspecified(world, 'MOCK_DOMAIN_REPLACE to an object that is not specified')];
  }
  const fresh = lowestFreeId(context);
  const template = templateFor(world, device);
  const moved = replace(stateOfRequest(request), object.device, target, { id: fresh, template });
  if (isRefused(moved)) return failuresBy(moved, world);
  const after = withState(world, moved.state);
  const answer = respond(request, MOCK_DOMAIN_REPLACE, { pt_id: moved.hwpt });
  if (!answer.whole) {
    return [failed(testMockDomainReplaceRules.replyFault, after, [answer.write])];
  }
  const reply = succeeded(testMockDomainReplaceRules.replaces, after, [answer.write]);
  if (moved.hwpt !== fresh) return withMemoryDoubt(reply, world, true);
  const otherwise = (chosen: ObjectId): World => {
    const other = replace(stateOfRequest(request), object.device, target, { id: chosen, template });
    return isRefused(other) ? after : withState(world, other.state);
  };
  const chosen = withChoices(reply, {
    list: [idChoice(request, MOCK_DOMAIN_REPLACE, 'pt_id', fresh)],
    world: ([id]) => otherwise(objectId(Number(id))),
  });
  return withMemoryDoubt(chosen, world, true);
};
