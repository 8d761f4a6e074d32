// SPDX-License-Identifier: MIT
// The first calls of programs with a profile, all valid: iommufds, tables, devices and accesses.

import type { GenContext } from '../generate/gen-context.ts';
import { chargeProcess } from '../generate/native.ts';
import { nativeCall } from '../generate/native-call.ts';
import { testCall } from '../generate/test-call.ts';
import type { Value } from '../programs/program.ts';

export const open = (gen: GenContext): Value => {
  const label = gen.builder.label('iommufd');
  gen.add({ op: 'open', label, path: '/dev/iommu' });
  const fd: Value = { from: label, out: 'result' };
  // The accounting mode can be set only before the first object, and only with privilege.
  const { privileged } = gen.builder.world.memory.credentials;
  if (privileged && gen.rng.chance(1, 8)) chargeProcess(gen, fd);
  return fd;
};

export const allocate = (gen: GenContext, fd: Value): Value => ({
  from: nativeCall(gen, 'ioas', fd, 'IOMMU_IOAS_ALLOC', {}),
  out: 'out_ioas_id',
});

export const attach = (gen: GenContext, fd: Value, ioas: Value): void => {
  if (!gen.platform.mockDevices) return;
  gen.add(testCall(gen.builder.label('mock'), fd, 'MOCK_DOMAIN', { id: ioas }));
};

/** An access that pins pages. Returns its descriptor. */
export const use = (gen: GenContext, fd: Value, ioas: Value): Value => {
  const label = gen.builder.label('access');
  gen.add(testCall(label, fd, 'CREATE_ACCESS', { id: ioas, flags: 1n }));
  return { from: label, out: 'out_access_fd' };
};
