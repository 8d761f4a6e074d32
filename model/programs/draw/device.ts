// Devices' own files and the calls on them, drawn.

import * as vfio from '../../../spec/abi/vfio.ts';
import type { PlatformDevice } from '../../../spec/terms/platform.ts';
import { ARRAY_OFFSET, READ_ONLY_STRUCT_OFFSET, STRUCT_LENGTH, STRUCT_OFFSET } from '../arena.ts';
import type { Argument, Value } from '../program.ts';
import { drawStructPlace } from '../values.ts';
import { drawArgsz, drawContainer, hasNoIommu } from './compat.ts';
import type { CdevDescriptor, Scene } from './scene.ts';

export const hasDeviceFiles = ({ platform }: Scene): boolean =>
  platform.devices.some(({ cdev }) => cdev !== undefined);

/** Devices whose group has an open one already: what a group's devices are attached to must agree. */
const siblings = (scene: Scene): readonly PlatformDevice[] => {
  const { devices } = scene.platform;
  const open = new Set(scene.descriptorsOf('cdev').map(({ file }) => file.name));
  const groups = new Set(devices.filter(({ name }) => open.has(name)).map(({ group }) => group));
  return devices.filter(
    ({ name, group, cdev }) => cdev !== undefined && groups.has(group) && !open.has(name),
  );
};

export const drawOpenDevice = (scene: Scene): void => {
  const { dice, platform } = scene;
  const beside = siblings(scene);
  const own = platform.devices.filter(({ cdev }) => cdev !== undefined);
  const those = beside.length > 0 && dice.chance(3, 4) ? beside : own;
  const device = dice.chance(1, 30) ? undefined : dice.of(those);
  const otherwise = hasNoIommu(scene) && dice.chance(1, 30);
  const noIommu = (device?.iommu === 'noiommu') !== otherwise;
  const path = `/dev/vfio/devices/${noIommu ? 'noiommu-' : ''}vfio${device?.cdev ?? 77}`;
  scene.add({ op: 'open', label: scene.draft.label('cdev'), path });
};

const BIND_SIZES = [16, 16, 20, 24, 24, 24, 24, 24, 24, 24, 32, 15, 0, 4096] as const;

/** Also for a device that was got from a group. */
export const drawBind = (scene: Scene, fd: Value): void => {
  const { dice } = scene;
  const size = dice.chance(1, 3) ? dice.of(BIND_SIZES) : 24;
  const tail = size > 24 ? (dice.chance(1, 2) ? '00' : 'aa').repeat(8) : '';
  scene.add({
    op: 'ioctl',
    label: scene.draft.label('bind'),
    fd,
    command: vfio.VFIO_DEVICE_BIND_IOMMUFD,
    argument: {
      kind: 'struct',
      at: drawStructPlace(dice, size),
      layout: 'VFIO_DEVICE_BIND_IOMMUFD',
      fields: {
        argsz: BigInt(size),
        flags: dice.chance(1, 12) ? dice.of([1n, 1n, 2n, 3n, 0x8000_0000n]) : 0n,
        iommufd: drawContainer(scene),
        token_uuid_ptr: dice.chance(1, 2) ? 0n : { arena: ARRAY_OFFSET },
      },
      tail,
    },
  });
};

/** The device is bound to an iommufd and attached to something of it, as it should be. */
export const drawBoundAndAttached = (
  scene: Scene,
  { value }: CdevDescriptor,
  iommufd: Value,
  target: Value,
): void => {
  const whole = { argsz: 24n, iommufd };
  const to = { argsz: 12n, pt_id: target };
  const bind = vfio.VFIO_DEVICE_BIND_IOMMUFD;
  const attach = vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT;
  scene.call('bind', value, bind, 'VFIO_DEVICE_BIND_IOMMUFD', 24, whole);
  scene.call('attach', value, attach, 'VFIO_DEVICE_ATTACH_IOMMUFD_PT', 12, to);
};

const PASIDS = [0n, 0n, 0n, 1n, 5n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn] as const;

const drawFlags = (scene: Scene): bigint =>
  scene.dice.chance(1, 4) ? scene.dice.of([1n, 1n, 1n, 1n, 1n, 1n, 2n, 3n]) : 0n;

/** A call whose struct is put where memory ends behind `known` bytes of it, or at memory that is read only. */
export const callAtEdge = (
  scene: Scene,
  stem: string,
  fd: Value,
  command: number,
  layout: string,
  fields: Readonly<Record<string, Value>>,
  known: number,
): void => {
  const end = STRUCT_OFFSET + STRUCT_LENGTH;
  const at = { arena: scene.dice.chance(1, 2) ? end - BigInt(known) : READ_ONLY_STRUCT_OFFSET };
  const argument: Argument = { kind: 'struct', at, layout, fields };
  scene.add({ op: 'ioctl', label: scene.draft.label(stem), fd, command, argument });
};

const callDevice = (
  scene: Scene,
  stem: string,
  fd: Value,
  command: number,
  layout: string,
  size: number,
  fields: Readonly<Record<string, Value>>,
  known: number,
): void => {
  if (scene.dice.chance(1, 10)) callAtEdge(scene, stem, fd, command, layout, fields, known);
  else scene.call(stem, fd, command, layout, size, fields);
};

const drawAttach = (scene: Scene, { value, file }: CdevDescriptor): void => {
  const { dice } = scene;
  const context = scene.contextOfDevice(file);
  const kind = dice.of(['ioas', 'ioas', 'ioas', 'hwpt', 'hwpt', 'device'] as const);
  callDevice(
    scene,
    'attach',
    value,
    vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT,
    'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
    16,
    {
      argsz: dice.chance(1, 4) ? 12n : drawArgsz(scene, 16),
      flags: drawFlags(scene),
      pt_id: context === undefined ? 1n : scene.object(context, kind),
      pasid: dice.of(PASIDS),
    },
    12,
  );
};

const drawDetach = (scene: Scene, { value }: CdevDescriptor): void => {
  const { dice } = scene;
  callDevice(
    scene,
    'detach',
    value,
    vfio.VFIO_DEVICE_DETACH_IOMMUFD_PT,
    'VFIO_DEVICE_DETACH_IOMMUFD_PT',
    12,
    {
      argsz: dice.chance(1, 4) ? 8n : drawArgsz(scene, 12),
      flags: drawFlags(scene),
      pasid: dice.of(PASIDS),
    },
    8,
  );
};

export const drawDeviceCall = (scene: Scene, cdev: CdevDescriptor): void => {
  const { dice } = scene;
  const kind = dice.number(1, 20);
  if (!cdev.file.bound && kind > 17) {
    scene.plain('odd', cdev.value, dice.of([0x3b6b, 0x3b6f, 0x3b77, 0x3b85]), {
      arena: STRUCT_OFFSET,
    });
  } else if (cdev.file.bound ? kind > 18 : kind > 1) drawBind(scene, cdev.value);
  else if (kind > 13) drawDetach(scene, cdev);
  else drawAttach(scene, cdev);
};

/** A call of a device's own file on a device that was got from a group. */
export const drawGroupDeviceCall = (scene: Scene, fd: Value): void => {
  const { dice } = scene;
  if (dice.chance(1, 2)) drawBind(scene, fd);
  else scene.plain('odd', fd, dice.of([0x3b77, 0x3b78]), { arena: STRUCT_OFFSET });
};
