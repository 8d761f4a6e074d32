// Looks at what an IOAS holds and neither a reply nor a domain shows: a domain that is attached now is filled from its
// areas, and an in-kernel user may do with each of them what its flags permit.

import { TEST_OPERATIONS, type TestOperationName } from '../../spec/abi/test.ts';
import { type ObjectId, objectId } from '../../spec/abi/units.ts';
import { each } from '../../spec/collections/ordered-map.ts';
import { type Context, tableOf } from '../../spec/iommufd/context.ts';
import { ARRAY_OFFSET, STRUCT_OFFSET } from './arena.ts';
import type { IommufdDescriptor, Scene } from './draw/scene.ts';
import type { Operation, Value } from './program.ts';

const TEST_COMMAND = 0x3ba0;
const WRITE = 1n;

/** Of one program, so that most calls are still those that were drawn. */
const MOST_TABLES = 3;
const MOST_AREAS = 6;

export const testCall = (
  label: string,
  fd: Value,
  layout: TestOperationName,
  fields: Readonly<Record<string, Value>>,
): Operation => ({
  op: 'ioctl',
  label,
  fd,
  command: TEST_COMMAND,
  argument: {
    kind: 'struct',
    at: { arena: STRUCT_OFFSET },
    layout,
    fields: {
      size: 72n,
      op: BigInt(TEST_OPERATIONS.find(({ name }) => name === layout)?.op ?? 0),
      ...fields,
    },
  },
});

const hasDomain = (context: Context, ioas: ObjectId): boolean => {
  let found = false;
  each(context.objects, (_, object) => {
    found ||= object.kind === 'hwpt' && object.ioas === ioas;
  });
  return found;
};

/** Its first byte is written and its last one read, or the other way round, where its flags permit. */
const useAreas = (scene: Scene, on: IommufdDescriptor, ioas: ObjectId): void => {
  const label = scene.draft.label('user');
  scene.add(testCall(label, on.value, 'CREATE_ACCESS', { id: scene.named(on.context, ioas) }));
  if (scene.draft.output(label, 'out_access_fd') === 0n) return;
  const id = { from: label, out: 'out_access_fd' };
  let count = 0;
  each(tableOf(on.context, ioas).areas, (iova, { last }) => {
    count += 1;
    if (count > MOST_AREAS) return;
    for (const [at, flags] of [
      [iova, count % 2 === 0 ? WRITE : 0n],
      [last, count % 2 === 0 ? 0n : WRITE],
    ] as const) {
      const uptr = { arena: ARRAY_OFFSET };
      scene.add(
        testCall(scene.draft.label('use'), on.value, 'ACCESS_RW', {
          id,
          iova: at,
          length: 1n,
          uptr,
          flags,
        }),
      );
    }
  });
};

/**
 * Adds the looks to the scene's draft. `lookAtDomain` adds those at a domain, by what names its hwpt, its id and its
 * IOAS.
 */
export const lookAtTables = (
  scene: Scene,
  lookAtDomain: (on: IommufdDescriptor, name: Value, hwpt: ObjectId, ioas: ObjectId) => void,
): void => {
  let tables = 0;
  for (const { fd, context } of scene.iommufds()) {
    if (context.forgotten !== undefined) continue;
    for (const ioas of scene.objectIds(context, 'ioas').map(objectId)) {
      if (tableOf(context, ioas).areas === undefined) continue;
      tables += 1;
      if (tables > MOST_TABLES) return;
      const present = (): IommufdDescriptor | undefined =>
        scene.iommufds().find((descriptor) => descriptor.fd === fd);
      const before = present();
      if (before === undefined) return;
      useAreas(scene, before, ioas);
      if (!scene.platform.mockDevices || hasDomain(context, ioas)) continue;
      const label = scene.draft.label('attached');
      scene.add(testCall(label, before.value, 'MOCK_DOMAIN', { id: scene.named(context, ioas) }));
      const hwpt = Number(scene.draft.output(label, 'out_hwpt_id'));
      const after = present();
      if (hwpt === 0 || after === undefined) continue;
      const name = { from: label, out: 'out_hwpt_id' };
      lookAtDomain(after, name, objectId(hwpt), ioas);
    }
  }
};
