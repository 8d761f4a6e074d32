// SPDX-License-Identifier: MIT
// The first operations of a program whose device does DMA: it gets the device from its group, so
// that later maps are in the device's domain, through an iommufd or a legacy container.

import { bytesOfLatin1, hexOf } from '../../spec/abi/bytes-text.ts';
import { IOMMU_IOAS_ALLOC, IOMMU_VFIO_IOAS, VFIO_IOAS_SET } from '../../spec/abi/native.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import type { PlatformDevice } from '../../spec/terms/platform.ts';
import type { GenContext } from '../generate/gen-context.ts';
import { generateIoasMap } from '../generate/native.ts';
import { generateFittingMap, generateOpenContainer } from '../generate/type1.ts';
import { STRUCT_OFFSET } from '../programs/arena.ts';
import type { Argument, Operation, Value } from '../programs/program.ts';

const IOAS_ALLOC = 0x3b81;
const VFIO_IOAS = 0x3b88;

const struct = (layout: string, fields: Readonly<Record<string, Value>>): Argument => ({
  kind: 'struct',
  at: { arena: STRUCT_OFFSET },
  layout,
  fields,
});

const call = (
  gen: GenContext,
  stem: string,
  fd: Value,
  command: number,
  argument: Argument,
): Operation => ({ op: 'ioctl', label: gen.builder.label(stem), fd, command, argument });

/** Returns the group's descriptor, in the container or the iommufd. */
const join = (gen: GenContext, container: Value, number: number): Value => {
  const label = gen.builder.label('group');
  gen.add({ op: 'open', label, path: `/dev/vfio/${number}` });
  const group: Value = { from: label, out: 'result' };
  const fields = struct('VFIO_GROUP_SET_CONTAINER', { fd: container });
  gen.add(call(gen, 'setContainer', group, vfio.VFIO_GROUP_SET_CONTAINER, fields));
  return group;
};

const openDevice = (gen: GenContext, group: Value, name: string): void => {
  const hex = `${hexOf(bytesOfLatin1(name))}00`;
  const text: Argument = { kind: 'bytes', at: { arena: STRUCT_OFFSET }, hex };
  gen.add(call(gen, 'device', group, vfio.VFIO_GROUP_GET_DEVICE_FD, text));
};

const device = (gen: GenContext, iommufd: Value, { name, group }: PlatformDevice): void =>
  openDevice(gen, join(gen, iommufd, group), name);

/** Makes an IOAS the compatibility IOAS, so that the program has its id. */
const ownIoas = (gen: GenContext, iommufd: Value): void => {
  const ioas = gen.builder.label('ioas');
  const size = BigInt(IOMMU_IOAS_ALLOC.size);
  const argument = struct('IOMMU_IOAS_ALLOC', { size });
  gen.add({ op: 'ioctl', label: ioas, fd: iommufd, command: IOAS_ALLOC, argument });
  gen.add({
    op: 'ioctl',
    label: gen.builder.label('vfioIoas'),
    fd: iommufd,
    command: VFIO_IOAS,
    argument: struct('IOMMU_VFIO_IOAS', {
      size: BigInt(IOMMU_VFIO_IOAS.size),
      op: BigInt(VFIO_IOAS_SET),
      ioas_id: { from: ioas, out: 'out_ioas_id' },
    }),
  });
};

/** Opens a device that does DMA; sometimes another one, too. */
const generateEngineOfIommufd = (gen: GenContext): void => {
  const { rng, platform } = gen;
  const label = gen.builder.label('iommufd');
  gen.add({ op: 'open', label, path: '/dev/iommu' });
  const iommufd = { from: label, out: 'result' };
  if (rng.chance(3, 4)) {
    ownIoas(gen, iommufd);
    // What is mapped before fills the domain when it is made.
    const [on] = gen.iommufds();
    if (on !== undefined && rng.chance(1, 3)) generateIoasMap(gen, on);
  }
  const first = rng.of(platform.devices.filter(({ dmaEngine }) => dmaEngine));
  device(gen, iommufd, first);
  const others = platform.devices.filter(({ group }) => group !== first.group);
  if (others.length === 0 || !rng.chance(1, 4)) return;
  device(gen, iommufd, rng.of(others));
};

/** Maps before the device's IOMMU is there, if a group without one keeps the container. */
const MOST_BEFORE = 2;

/** The same in a legacy container, sometimes after an mdev joined and something was mapped. */
const generateEngineOfContainer = (gen: GenContext): void => {
  const { rng, platform } = gen;
  generateOpenContainer(gen);
  const [opened] = gen.containers();
  if (opened === undefined) return;
  const container = opened.value;
  const setIommu = (): void =>
    gen.plain('setIommu', container, vfio.VFIO_SET_IOMMU, rng.of([1n, 3n, 3n]));
  const mdev = platform.devices.filter(({ iommu }) => iommu === 'none');
  const follows = mdev.length > 0 && rng.chance(1, 2);
  if (follows) {
    join(gen, container, rng.of(mdev).group);
    setIommu();
    for (let maps = rng.number(1, MOST_BEFORE); maps > 0; maps -= 1) {
      const [on] = gen.containers();
      if (on !== undefined) generateFittingMap(gen, on);
    }
  }
  const { name, group } = rng.of(platform.devices.filter(({ dmaEngine }) => dmaEngine));
  const joined = join(gen, container, group);
  if (!follows) setIommu();
  openDevice(gen, joined, name);
};

/** Opens a device that does DMA, through the files by which the program calls VFIO. */
export const generateEngine = (gen: GenContext): void => {
  const { rng, paths } = gen;
  if (paths === 'legacy' || (paths === 'both' && rng.chance(1, 2))) generateEngineOfContainer(gen);
  else generateEngineOfIommufd(gen);
};
