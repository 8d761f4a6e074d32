// SPDX-License-Identifier: MIT
// CREATE_ACCESS: creates an access of an IOAS, with a descriptor. iommufd_test_create_access() in
// drivers/iommu/iommufd/selftest.c.

import { decode } from '../abi/layout.ts';
import { ACCESS_NEEDS_PIN_PAGES, CREATE_ACCESS } from '../abi/test.ts';
import { type Fd, fileDescriptor } from '../abi/units.ts';
import { attachAccess } from '../iommufd/access-attach.ts';
import {
  addressOf,
  contextOfRequest,
  type Handler,
  respond,
  respondRules,
  stateOfRequest,
} from '../iommufd/request.ts';
import { failed, failedBy, type Outcome, succeeded, withChoices } from '../outcome/outcome.ts';
import { lowestFreeId, withObject } from '../state/context.ts';
import {
  fileAt,
  lowestFreeDescriptor,
  type World,
  withDescriptor,
  withNewFile,
  withState,
} from '../state/world.ts';
import { grants, isRefused, refuses, rulesOf } from '../terms/rule.ts';

export const testCreateAccessRules = rulesOf(
  {
    id: 'test-create-access',
    title: 'IOMMU_TEST_CMD CREATE_ACCESS',
    source: 'iommufd_test_create_access() in drivers/iommu/iommufd/selftest.c',
  },
  {
    unknownFlags: refuses('EOPNOTSUPP', 'A flag other than NEEDS_PIN_PAGES is set.'),
    creates: grants(
      'Creates an access that is attached to the IOAS; out_access_fd returns its descriptor.',
    ),
  },
);

export const createAccess: Handler = (request): readonly Outcome[] => {
  const { world, call } = request;
  const { id: ioas, flags } = decode(CREATE_ACCESS, request.bytes);
  if ((flags & ~ACCESS_NEEDS_PIN_PAGES) !== 0) {
    return [failed(testCreateAccessRules.unknownFlags, world)];
  }
  const context = contextOfRequest(request);
  const object = lowestFreeId(context);
  const made = withObject(context, object, {
    kind: 'access',
    needsPins: (flags & ACCESS_NEEDS_PIN_PAGES) !== 0,
    ioas: undefined,
    pins: [],
    nextPin: 0,
  });
  const attached = attachAccess(
    { context: made, memory: stateOfRequest(request).memory },
    object,
    ioas,
  );
  if (isRefused(attached)) return [failedBy(attached, world)];
  const preferred = lowestFreeDescriptor(world, call.process);
  const answer = respond(request, CREATE_ACCESS, { out_access_fd: preferred });
  if (!answer.whole) return [failed(respondRules.replyFault, world, [answer.write])];
  const after = (fd: Fd): World => {
    const opened = withNewFile(withState(world, attached), () => ({
      kind: 'access',
      iommufd: context.file,
      object,
    }));
    return withDescriptor(opened.world, call.process, fd, opened.id);
  };
  return [
    withChoices(succeeded(testCreateAccessRules.creates, after(preferred), [answer.write]), {
      list: [
        {
          what: 'a descriptor',
          location: {
            in: 'memory',
            address: addressOf(request, CREATE_ACCESS, 'out_access_fd'),
            width: 4,
          },
          preferred: BigInt(preferred),
          unfit: (value) =>
            fileAt(world, call.process, fileDescriptor(Number(value))) === undefined
              ? undefined
              : 'the descriptor is open already',
        },
      ],
      world: ([chosen]) => after(fileDescriptor(Number(chosen))),
    }),
  ];
};
