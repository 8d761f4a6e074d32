// SPDX-License-Identifier: MIT
// Generates opens of cdevs and the calls on them.

import * as vfio from '../../spec/abi/vfio.ts';
import type { PlatformDevice } from '../../spec/terms/platform.ts';
import {
  ARRAY_OFFSET,
  READ_ONLY_STRUCT_OFFSET,
  STRUCT_LENGTH,
  STRUCT_OFFSET,
} from '../programs/arena.ts';
import type { Argument, Value } from '../programs/program.ts';
import { generateArgsz, generateContainer, hasNoIommu } from './compat.ts';
import type { CdevDescriptor, GenContext, StructIoctl } from './gen-context.ts';
import { generateStructAddress } from './values.ts';

export const hasDeviceFiles = ({ platform }: GenContext): boolean =>
  platform.devices.some(({ cdev }) => cdev !== undefined);

/**
 * Devices whose group has an open device already: the devices of a group must agree on what they
 * are attached to.
 */
const siblings = (gen: GenContext): readonly PlatformDevice[] => {
  const { devices } = gen.platform;
  const open = new Set(gen.descriptorsOf('cdev').map(({ file }) => file.name));
  const groups = new Set(devices.filter(({ name }) => open.has(name)).map(({ group }) => group));
  return devices.filter(
    ({ name, group, cdev }) => cdev !== undefined && groups.has(group) && !open.has(name),
  );
};

export const generateOpenDevice = (gen: GenContext): void => {
  const { rng, platform } = gen;
  const inOpenGroups = siblings(gen);
  const own = platform.devices.filter(({ cdev }) => cdev !== undefined);
  const devices = inOpenGroups.length > 0 && rng.chance(3, 4) ? inOpenGroups : own;
  const device = rng.chance(1, 30) ? undefined : rng.of(devices);
  const otherwise = hasNoIommu(gen) && rng.chance(1, 30);
  const noIommu = (device?.iommu === 'noiommu') !== otherwise;
  const path = `/dev/vfio/devices/${noIommu ? 'noiommu-' : ''}vfio${device?.cdev ?? 77}`;
  gen.add({ op: 'open', label: gen.builder.label('cdev'), path });
};

const BIND_SIZES = [16, 16, 20, 24, 24, 24, 24, 24, 24, 24, 32, 15, 0, 4096] as const;

/** Also for a device that a group returned. */
export const generateBind = (gen: GenContext, fd: Value): void => {
  const { rng } = gen;
  const size = rng.chance(1, 3) ? rng.of(BIND_SIZES) : 24;
  const tail = size > 24 ? (rng.chance(1, 2) ? '00' : 'aa').repeat(8) : '';
  gen.add({
    op: 'ioctl',
    label: gen.builder.label('bind'),
    fd,
    command: vfio.VFIO_DEVICE_BIND_IOMMUFD,
    argument: {
      kind: 'struct',
      at: generateStructAddress(rng, size),
      layout: 'VFIO_DEVICE_BIND_IOMMUFD',
      fields: {
        argsz: BigInt(size),
        flags: rng.chance(1, 12) ? rng.of([1n, 1n, 2n, 3n, 0x8000_0000n]) : 0n,
        iommufd: generateContainer(gen),
        token_uuid_ptr: rng.chance(1, 2) ? 0n : { arena: ARRAY_OFFSET },
      },
      tail,
    },
  });
};

/** Binds the device to an iommufd and attaches it to an object of that, with valid fields. */
export const generateBoundAndAttached = (
  gen: GenContext,
  { value }: CdevDescriptor,
  iommufd: Value,
  target: Value,
): void => {
  const whole = { argsz: 24n, iommufd };
  const to = { argsz: 12n, pt_id: target };
  const bind = vfio.VFIO_DEVICE_BIND_IOMMUFD;
  const attach = vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT;
  gen.call('bind', value, { command: bind, layout: 'VFIO_DEVICE_BIND_IOMMUFD', size: 24 }, whole);
  gen.call(
    'attach',
    value,
    { command: attach, layout: 'VFIO_DEVICE_ATTACH_IOMMUFD_PT', size: 12 },
    to,
  );
};

const PASIDS = [0n, 0n, 0n, 1n, 5n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn] as const;

const generateFlags = (gen: GenContext): bigint =>
  gen.rng.chance(1, 4) ? gen.rng.of([1n, 1n, 1n, 1n, 1n, 1n, 2n, 3n]) : 0n;

export type StructCall = StructIoctl & {
  /** The first part of its label. */
  readonly stem: string;
  readonly fd: Value;
  readonly fields: Readonly<Record<string, Value>>;
};

/** Adds a call whose struct ends with memory after `known` bytes, or is in read-only memory. */
export const callAtEdge = (
  gen: GenContext,
  { stem, fd, command, layout, fields }: Omit<StructCall, 'size'>,
  known: number,
): void => {
  const end = STRUCT_OFFSET + STRUCT_LENGTH;
  const at = { arena: gen.rng.chance(1, 2) ? end - BigInt(known) : READ_ONLY_STRUCT_OFFSET };
  const argument: Argument = { kind: 'struct', at, layout, fields };
  gen.add({ op: 'ioctl', label: gen.builder.label(stem), fd, command, argument });
};

const callDevice = (gen: GenContext, call: StructCall, known: number): void => {
  if (gen.rng.chance(1, 10)) callAtEdge(gen, call, known);
  else gen.call(call.stem, call.fd, call, call.fields);
};

const generateAttach = (gen: GenContext, { value, file }: CdevDescriptor): void => {
  const { rng } = gen;
  const context = gen.contextOfDevice(file);
  const kind = rng.of(['ioas', 'ioas', 'ioas', 'hwpt', 'hwpt', 'device'] as const);
  callDevice(
    gen,
    {
      stem: 'attach',
      fd: value,
      command: vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT,
      layout: 'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
      size: 16,
      fields: {
        argsz: rng.chance(1, 4) ? 12n : generateArgsz(gen, 16),
        flags: generateFlags(gen),
        pt_id: context === undefined ? 1n : gen.object(context, kind),
        pasid: rng.of(PASIDS),
      },
    },
    12,
  );
};

const generateDetach = (gen: GenContext, { value }: CdevDescriptor): void => {
  const { rng } = gen;
  callDevice(
    gen,
    {
      stem: 'detach',
      fd: value,
      command: vfio.VFIO_DEVICE_DETACH_IOMMUFD_PT,
      layout: 'VFIO_DEVICE_DETACH_IOMMUFD_PT',
      size: 12,
      fields: {
        argsz: rng.chance(1, 4) ? 8n : generateArgsz(gen, 12),
        flags: generateFlags(gen),
        pasid: rng.of(PASIDS),
      },
    },
    8,
  );
};

export const generateDeviceCall = (gen: GenContext, cdev: CdevDescriptor): void => {
  const { rng } = gen;
  const kind = rng.number(1, 20);
  if (!cdev.file.bound && kind > 17) {
    gen.plain('invalid', cdev.value, rng.of([0x3b6b, 0x3b6f, 0x3b77, 0x3b85]), {
      arena: STRUCT_OFFSET,
    });
  } else if (cdev.file.bound ? kind > 18 : kind > 1) generateBind(gen, cdev.value);
  else if (kind > 13) generateDetach(gen, cdev);
  else generateAttach(gen, cdev);
};

/** A cdev call on a device that a group returned. */
export const generateGroupDeviceCall = (gen: GenContext, fd: Value): void => {
  const { rng } = gen;
  if (rng.chance(1, 2)) generateBind(gen, fd);
  else gen.plain('invalid', fd, rng.of([0x3b77, 0x3b78]), { arena: STRUCT_OFFSET });
};
