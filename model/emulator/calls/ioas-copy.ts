// SPDX-License-Identifier: MIT
// IOMMU_IOAS_COPY. drivers/iommu/iommufd/ioas.c (iommufd_ioas_copy).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { IOMMU_IOAS_COPY } from '../../../spec/abi/native.ts';
import { MOCK_FLAGS_ACCESS_SYZ } from '../../../spec/abi/test.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';
import { mapParts, type PagesPart, partsUnder } from '../iopt/map.ts';
import { Pages } from '../iopt/pages.ts';
import { iovaOfNthArea } from '../selftest/nth-area.ts';
import { checkMapFlags, iovaChoiceOf, permissionOf } from './map-flags.ts';

const AT = offsetsOf(IOMMU_IOAS_COPY);

/** With test commands, a flag makes src_iova the number of an area and an offset into it. */
const convertSource = (context: IommufdContext, command: Command): void => {
  const flags = command.u32(AT.flags);
  if (!context.kernel.platform.testCommands || (flags & MOCK_FLAGS_ACCESS_SYZ) === 0) return;
  command.setU32(AT.flags, flags & ~MOCK_FLAGS_ACCESS_SYZ);
  const ioas = context.objects.find(command.u32(AT.src_ioas_id), Ioas);
  if (ioas === undefined) return;
  command.setU64(AT.src_iova, iovaOfNthArea(ioas.table, command.u64(AT.src_iova)));
};

/** The same part, of new pages. */
const unshared = (part: PagesPart): PagesPart => {
  const { kernel, source, count, writable, accountMode } = part.pages;
  const pages = new Pages(kernel, source, count, writable, accountMode);
  part.pages.put();
  return { ...part, pages };
};

export const ioasCopy = (context: IommufdContext, command: Command): number => {
  convertSource(context, command);
  const { kernel, objects } = context;
  const flags = command.u32(AT.flags);
  const length = command.u64(AT.length);
  const from = command.u64(AT.src_iova);
  const to = command.u64(AT.dst_iova);
  const bad = checkMapFlags(kernel, flags, 0, [length, from, to]);
  if (bad !== 0) return bad;
  const source = objects.find(command.u32(AT.src_ioas_id), Ioas);
  if (source === undefined) return -ERRNO.ENOENT;
  let parts = partsUnder(source.table, from, length);
  if (typeof parts === 'number') return parts;
  const destination = objects.find(command.u32(AT.dst_ioas_id), Ioas);
  if (destination === undefined) {
    for (const part of parts) part.pages.put();
    return -ERRNO.ENOENT;
  }
  if (kernel.defects.has('copy-does-not-share-pins')) parts = parts.map(unshared);
  const choice = iovaChoiceOf(flags, to);
  const mapped = mapParts(destination.table, parts, length, choice, permissionOf(flags));
  if (typeof mapped === 'number') return mapped;
  command.setU64(AT.dst_iova, mapped);
  return command.respond();
};
