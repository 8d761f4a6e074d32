// The first operations of a program whose device moves memory: it is got from its group, so that what is mapped later is
// what it reaches.

import { IOMMU_IOAS_ALLOC, IOMMU_VFIO_IOAS, VFIO_IOAS_SET } from '../../../spec/abi/native.ts';
import * as vfio from '../../../spec/abi/vfio.ts';
import { STRUCT_OFFSET } from '../arena.ts';
import type { Argument, Operation, Value } from '../program.ts';
import { drawIoasMap } from './native.ts';
import type { Scene } from './scene.ts';

const IOAS_ALLOC = 0x3b81;
const VFIO_IOAS = 0x3b88;

const struct = (layout: string, fields: Readonly<Record<string, Value>>): Argument => ({
  kind: 'struct',
  at: { arena: STRUCT_OFFSET },
  layout,
  fields,
});

const device = (scene: Scene, iommufd: Value, name: string, number: number): void => {
  const group = scene.draft.label('group');
  scene.add({ op: 'open', label: group, path: `/dev/vfio/${number}` });
  const fd = { from: group, out: 'result' };
  const call = (stem: string, command: number, argument: Argument): Operation => ({
    op: 'ioctl',
    label: scene.draft.label(stem),
    fd,
    command,
    argument,
  });
  const container = struct('VFIO_GROUP_SET_CONTAINER', { fd: iommufd });
  scene.add(call('setContainer', vfio.VFIO_GROUP_SET_CONTAINER, container));
  const hex = `${Buffer.from(name, 'latin1').toString('hex')}00`;
  const text: Argument = { kind: 'bytes', at: { arena: STRUCT_OFFSET }, hex };
  scene.add(call('device', vfio.VFIO_GROUP_GET_DEVICE_FD, text));
};

/** An IOAS of the program's for VFIO calls, of which it knows the id. */
const ownIoas = (scene: Scene, iommufd: Value): void => {
  const ioas = scene.draft.label('ioas');
  const size = BigInt(IOMMU_IOAS_ALLOC.size);
  const argument = struct('IOMMU_IOAS_ALLOC', { size });
  scene.add({ op: 'ioctl', label: ioas, fd: iommufd, command: IOAS_ALLOC, argument });
  scene.add({
    op: 'ioctl',
    label: scene.draft.label('vfioIoas'),
    fd: iommufd,
    command: VFIO_IOAS,
    argument: struct('IOMMU_VFIO_IOAS', {
      size: BigInt(IOMMU_VFIO_IOAS.size),
      op: BigInt(VFIO_IOAS_SET),
      ioas_id: { from: ioas, out: 'out_ioas_id' },
    }),
  });
};

/** Opens a device that moves memory; sometimes another one beside it. */
export const drawEngine = (scene: Scene): void => {
  const { dice, platform } = scene;
  const label = scene.draft.label('iommufd');
  scene.add({ op: 'open', label, path: '/dev/iommu' });
  const iommufd = { from: label, out: 'result' };
  if (dice.chance(3, 4)) {
    ownIoas(scene, iommufd);
    // What is mapped before is put into the domain when it is made.
    const [on] = scene.iommufds();
    if (on !== undefined && dice.chance(1, 3)) drawIoasMap(scene, on);
  }
  const first = dice.of(platform.devices.filter(({ dmaEngine }) => dmaEngine));
  device(scene, iommufd, first.name, first.group);
  const others = platform.devices.filter(({ group }) => group !== first.group);
  if (others.length === 0 || !dice.chance(1, 4)) return;
  const second = dice.of(others);
  device(scene, iommufd, second.name, second.group);
};
