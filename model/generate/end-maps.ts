// SPDX-License-Identifier: MIT
// Maps that end with the last byte of the address space, of which programs keep away where what follows could not be
// judged.

import { PAGE_SIZE_BYTES, U64_MAX } from '../../spec/abi/units.ts';
import type { Platform } from '../../spec/terms/platform.ts';
import type { ProgramBuilder } from '../programs/builder.ts';
import type { Operation, Value } from '../programs/program.ts';

/** Of each struct that maps: where it says at which IOVA, and how many bytes. */
const MAPS: Readonly<Record<string, readonly [string, string]>> = {
  IOMMU_IOAS_MAP: ['iova', 'length'],
  IOMMU_IOAS_MAP_FILE: ['iova', 'length'],
  IOMMU_IOAS_COPY: ['dst_iova', 'length'],
  VFIO_IOMMU_MAP_DMA: ['iova', 'size'],
};

type Fields = Readonly<Record<string, Value>>;

/** Bytes of the map where it ends so; undefined where it does not, or the struct is another. */
const lengthToTheEnd = (
  builder: ProgramBuilder,
  layout: string,
  fields: Fields,
): bigint | undefined => {
  const [iovaField, lengthField] = MAPS[layout] ?? [];
  if (iovaField === undefined || lengthField === undefined) return undefined;
  const length = builder.valueOf(fields[lengthField] ?? 0n);
  return builder.valueOf(fields[iovaField] ?? 0n) + length === U64_MAX + 1n ? length : undefined;
};

/** Where 6.12's type1 loses the map to its container. */
export const isLostMap = (builder: ProgramBuilder, layout: string, fields: Fields): boolean =>
  layout === 'VFIO_IOMMU_MAP_DMA' &&
  builder.world.release.type1.findDmaWraps &&
  lengthToTheEnd(builder, layout, fields) !== undefined;

/** Domains of which every IOVA can be mapped. */
const reachesTheEnd = ({ iommus, devices }: Platform): boolean =>
  iommus.some(({ aperture }) => aperture.last === U64_MAX) ||
  devices.some(({ iommu }) => iommu === 'noiommu');

/** Whether the map may come into a domain that reaches as far: what a device then sees is not compared. */
export const isFarMap = (builder: ProgramBuilder, operation: Operation): boolean => {
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return false;
  const { layout, fields } = operation.argument;
  const length = lengthToTheEnd(builder, layout, fields);
  return (
    length !== undefined &&
    length > PAGE_SIZE_BYTES &&
    reachesTheEnd(builder.world.setting.platform)
  );
};
