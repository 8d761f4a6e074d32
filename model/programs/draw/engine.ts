// The first operations of a program whose device moves memory: it is got from its group, so that what is mapped later is
// what it reaches, through an iommufd or a legacy container.

import { bytesOfLatin1, hexOf } from '../../../spec/abi/bytes-text.ts';
import { IOMMU_IOAS_ALLOC, IOMMU_VFIO_IOAS, VFIO_IOAS_SET } from '../../../spec/abi/native.ts';
import * as vfio from '../../../spec/abi/vfio.ts';
import type { PlatformDevice } from '../../../spec/terms/platform.ts';
import { STRUCT_OFFSET } from '../arena.ts';
import type { Argument, Operation, Value } from '../program.ts';
import { drawIoasMap } from './native.ts';
import type { Scene } from './scene.ts';
import { drawFittingMap, drawOpenContainer } from './type1.ts';

const IOAS_ALLOC = 0x3b81;
const VFIO_IOAS = 0x3b88;

const struct = (layout: string, fields: Readonly<Record<string, Value>>): Argument => ({
  kind: 'struct',
  at: { arena: STRUCT_OFFSET },
  layout,
  fields,
});

const call = (
  scene: Scene,
  stem: string,
  fd: Value,
  command: number,
  argument: Argument,
): Operation => ({ op: 'ioctl', label: scene.draft.label(stem), fd, command, argument });

/** The group's descriptor, in the container or the iommufd. */
const join = (scene: Scene, container: Value, number: number): Value => {
  const label = scene.draft.label('group');
  scene.add({ op: 'open', label, path: `/dev/vfio/${number}` });
  const group: Value = { from: label, out: 'result' };
  const fields = struct('VFIO_GROUP_SET_CONTAINER', { fd: container });
  scene.add(call(scene, 'setContainer', group, vfio.VFIO_GROUP_SET_CONTAINER, fields));
  return group;
};

const openDevice = (scene: Scene, group: Value, name: string): void => {
  const hex = `${hexOf(bytesOfLatin1(name))}00`;
  const text: Argument = { kind: 'bytes', at: { arena: STRUCT_OFFSET }, hex };
  scene.add(call(scene, 'device', group, vfio.VFIO_GROUP_GET_DEVICE_FD, text));
};

const device = (scene: Scene, iommufd: Value, { name, group }: PlatformDevice): void =>
  openDevice(scene, join(scene, iommufd, group), name);

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
const drawEngineOfIommufd = (scene: Scene): void => {
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
  device(scene, iommufd, first);
  const others = platform.devices.filter(({ group }) => group !== first.group);
  if (others.length === 0 || !dice.chance(1, 4)) return;
  device(scene, iommufd, dice.of(others));
};

/** Maps that are made before the device's IOMMU is there, where a group without one keeps the container. */
const MOST_BEFORE = 2;

/** The same in a legacy container, sometimes when a mediated device is in it and something is mapped. */
const drawEngineOfContainer = (scene: Scene): void => {
  const { dice, platform } = scene;
  drawOpenContainer(scene);
  const [opened] = scene.containers();
  if (opened === undefined) return;
  const container = opened.value;
  const setIommu = (): void =>
    scene.plain('setIommu', container, vfio.VFIO_SET_IOMMU, dice.of([1n, 3n, 3n]));
  const mediated = platform.devices.filter(({ iommu }) => iommu === 'none');
  const follows = mediated.length > 0 && dice.chance(1, 2);
  if (follows) {
    join(scene, container, dice.of(mediated).group);
    setIommu();
    for (let maps = dice.number(1, MOST_BEFORE); maps > 0; maps -= 1) {
      const [on] = scene.containers();
      if (on !== undefined) drawFittingMap(scene, on);
    }
  }
  const { name, group } = dice.of(platform.devices.filter(({ dmaEngine }) => dmaEngine));
  const joined = join(scene, container, group);
  if (!follows) setIommu();
  openDevice(scene, joined, name);
};

/** Opens a device that moves memory by the files through which the program calls VFIO. */
export const drawEngine = (scene: Scene): void => {
  const { dice, paths } = scene;
  if (paths === 'legacy' || (paths === 'both' && dice.chance(1, 2))) drawEngineOfContainer(scene);
  else drawEngineOfIommufd(scene);
};
