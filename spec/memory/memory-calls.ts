// SPDX-License-Identifier: MIT
// The program's own calls on its memory. They are not the subject of the specification, but what the kernel can pin,
// read and write depends on them.

import { PAGE_SIZE_BYTES, pageIndex, U64_MAX } from '../abi/units.ts';
import { opensDescriptor } from '../outcome/open-descriptor.ts';
import { failed, type Outcome, succeeded } from '../outcome/outcome.ts';
import { carved, type Mapping, mapped, mappingAt } from '../state/address-space.ts';
import type { Context } from '../state/context.ts';
import { type Memory, spaceOf, withSpace } from '../state/memory.ts';
import { fileAt, type MemfdFile, openFile, type World, withMemory } from '../state/world.ts';
import type { MemfdCall, MmapCall, MunmapCall, StoreCall } from '../terms/call.ts';
import { grants, onlyWith, refuses, rulesOf } from '../terms/rule.ts';
import { storedAt } from './contents.ts';
import { loadable } from './user-access.ts';

export const programMemoryRules = rulesOf(
  {
    id: 'program-memory',
    title: 'memory of the program',
    source: 'mmap(2), munmap(2), memfd_create(2)',
  },
  {
    maps: grants(
      'Maps new memory, zero unless it is of a file, and replaces what was mapped there.',
    ),
    misaligned: refuses(
      'EINVAL',
      'Huge pages: the address or length is not a multiple of 2 MiB. Files: the offset is not a multiple of the page size.',
    ),
    badDescriptor: refuses('EBADF', 'The descriptor to map is not open.'),
    cutsHugePage: refuses(
      'EINVAL',
      'The range starts or ends inside a huge page.',
      'hugetlb_vm_op_split() in mm/hugetlb.c',
    ),
    notMappable: refuses('ENODEV', 'The file cannot be mapped.'),
    iommufdPrivate: onlyWith(
      'iommufdMmap',
      refuses(
        'EINVAL',
        'The file is an iommufd, and the mapping is private. What was mapped there is unmapped.',
        'iommufd_fops_mmap() in drivers/iommu/iommufd/main.c',
      ),
    ),
    noPage: onlyWith(
      'iommufdMmap',
      refuses(
        'ENXIO',
        'The file is an iommufd, and no vIOMMU offers a page there. What was mapped there is unmapped.',
        'iommufd_fops_mmap() in drivers/iommu/iommufd/main.c',
      ),
    ),
    unmaps: grants('Unmaps the range. Pinned pages stay pinned.'),
    createsFile: grants('Creates a memfd of that many zero bytes.'),
    stores: grants(
      'Stores the bytes up to the first that is not accessible, and returns how many.',
    ),
  },
);

const withNewBacking = (memory: Memory): { readonly memory: Memory; readonly backing: number } => ({
  memory: { ...memory, nextBacking: memory.nextBacking + 1 },
  backing: memory.nextBacking,
});

export const HUGE_PAGE = 0x20_0000n;

/** Whether an end of the range is inside a huge page. */
const cutsHuge = (world: World, { process, address, length }: MmapCall | MunmapCall): boolean =>
  [address, address + length].some((end) => {
    const found = mappingAt(spaceOf(world.memory, process), end);
    return found?.mapping.huge === true && end % HUGE_PAGE !== 0n;
  });

const withMapping = (world: World, call: MmapCall, file?: MemfdFile): World => {
  const { process, address, length, protection, shared, backing } = call;
  const fresh = file === undefined ? withNewBacking(world.memory) : undefined;
  const memory = fresh?.memory ?? world.memory;
  const offset = backing.kind === 'memfd' ? backing.offset : 0n;
  const mapping: Mapping = {
    last: address + length - 1n,
    protection,
    shared,
    kind: backing.kind === 'device' ? 'device' : 'memory',
    backing: file?.backing ?? memory.nextBacking - 1,
    page: pageIndex(Number(offset / PAGE_SIZE_BYTES)),
    ...(backing.kind === 'huge' ? { huge: true } : {}),
  };
  let space = mapped(spaceOf(memory, process), address, mapping);
  const inFile = file === undefined ? length : pagesInFile(file, offset) * PAGE_SIZE_BYTES;
  if (inFile < length) space = mapped(space, address + inFile, { ...mapping, kind: 'beyond' });
  return withMemory(world, withSpace(memory, process, space));
};

/** How many pages the file has from an offset. The last may be partial. */
const pagesInFile = ({ length }: MemfdFile, offset: bigint): bigint =>
  length <= offset ? 0n : (length - offset + PAGE_SIZE_BYTES - 1n) / PAGE_SIZE_BYTES;

const withoutMapping = (
  world: World,
  { process, address, length }: MmapCall | MunmapCall,
): World => {
  const end = address + length - 1n;
  const space = carved(spaceOf(world.memory, process), address, end > U64_MAX ? U64_MAX : end);
  return withMemory(world, withSpace(world.memory, process, space));
};

/** vIOMMUs, which offer pages, are not specified: an iommufd that may have one is untracked. */
const mapIommufd = (world: World, call: MmapCall, context: Context): Outcome => {
  if (!world.release.iommufdsCanBeMapped) return failed(programMemoryRules.notMappable, world);
  if (context.untracked !== undefined) {
    const what = `${context.untracked} may have made pages of the iommufd`;
    return { kind: 'unspecified', what, doubtful: true, world: () => world };
  }
  if (cutsHuge(world, call)) return failed(programMemoryRules.cutsHugePage, world);
  // The kernel unmaps the range before it calls the mmap() of the file.
  const rule = call.shared ? programMemoryRules.noPage : programMemoryRules.iommufdPrivate;
  return failed(rule, withoutMapping(world, call));
};

export const mmap = (world: World, call: MmapCall): readonly Outcome[] => {
  const { process, backing } = call;
  if (backing.kind === 'huge' && (call.address | call.length) % HUGE_PAGE !== 0n) {
    return [failed(programMemoryRules.misaligned, world)];
  }
  if (backing.kind === 'memfd' && backing.offset % PAGE_SIZE_BYTES !== 0n) {
    return [failed(programMemoryRules.misaligned, world)];
  }
  if (backing.kind !== 'memfd') {
    if (cutsHuge(world, call)) return [failed(programMemoryRules.cutsHugePage, world)];
    return [succeeded(programMemoryRules.maps, withMapping(world, call))];
  }
  const found = fileAt(world, process, backing.fd);
  const file = found === undefined ? undefined : openFile(world, found);
  if (file === undefined) return [failed(programMemoryRules.badDescriptor, world)];
  if (file.kind === 'memfd') {
    if (cutsHuge(world, call)) return [failed(programMemoryRules.cutsHugePage, world)];
    return [succeeded(programMemoryRules.maps, withMapping(world, call, file))];
  }
  if (file.kind === 'iommufd') return [mapIommufd(world, call, file.context)];
  if (file.kind !== 'device' && file.kind !== 'cdev' && file.kind !== 'unspecified') {
    return [failed(programMemoryRules.notMappable, world)];
  }
  const bar: MmapCall = { ...call, backing: { kind: 'device' } };
  const after = ({ errno }: { readonly errno: number }): World =>
    errno === 0 ? withMapping(world, bar) : world;
  return [{ kind: 'unspecified', what: 'a mapping of a device', world: after }];
};

export const munmap = (world: World, call: MunmapCall): readonly Outcome[] =>
  cutsHuge(world, call)
    ? [failed(programMemoryRules.cutsHugePage, world)]
    : [succeeded(programMemoryRules.unmaps, withoutMapping(world, call))];

export const memfd = (world: World, call: MemfdCall): readonly Outcome[] => {
  const { memory, backing } = withNewBacking(world.memory);
  const { process, length } = call;
  return [
    opensDescriptor(withMemory(world, memory), process, programMemoryRules.createsFile, () => ({
      kind: 'memfd',
      backing,
      length,
    })),
  ];
};

/** Stores the bytes up to the first that is not accessible. The result is how many were stored. */
export const store = (world: World, call: StoreCall): readonly Outcome[] => {
  const { address } = call.memory;
  const bytes = loadable(world.memory, call.process, call.memory);
  const memory = storedAt(world.memory, call.process, address, bytes);
  return [succeeded(programMemoryRules.stores, withMemory(world, memory), [], bytes.length)];
};
