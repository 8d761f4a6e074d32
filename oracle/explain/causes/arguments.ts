// SPDX-License-Identifier: MIT
// Causes in the arguments of a call.

import { PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import type { Cause } from '../cause.ts';
import type { CauseId } from '../cause-id.ts';
import type { Clue } from '../clue.ts';

/** Programs whose structs and flags many people use every day. */
const isProven = ({ program }: Clue): boolean => program !== undefined && program !== 'strace';

const PROVEN = {
  when: isProven,
  weight: -10,
  why: 'The program passes such arguments on no other machine.',
} as const;

export const argumentCauses = {
  misaligned: {
    title:
      'iova, size or vaddr is not a multiple of the page size (of the IOMMU and of the processor).',
    rules: [
      'type1-map-dma/misaligned',
      'type1-unmap-dma/misaligned-iova',
      'type1-unmap-dma/misaligned-length',
      'mapping/misaligned-length',
      'mapping/misaligned-iova',
      'mapping/misaligned-offset',
      'choosing-iova/misaligned-address',
      'cutting/misaligned',
      'alignment/misaligned-area',
      'domains/page-size-too-large',
    ],
    usual: 25,
    why: 'Every address and length of a map is checked.',
    evidence: [
      PROVEN,
      {
        when: ({ fields: { iova, size, vaddr } }) =>
          [iova, size, vaddr].every(
            (value) => value !== undefined && value % PAGE_SIZE_BYTES === 0n,
          ),
        weight: -10,
        why: 'iova, size and vaddr are whole pages of 4 KiB.',
      },
    ],
    checks: [
      'Print iova, size and vaddr. getconf PAGESIZE; GET_INFO (iova_pgsizes) or IOMMU_IOAS_IOVA_RANGES (out_iova_alignment) have the alignment',
      'A host with pages of 64 KiB (arm64, ppc64)? Then 4 KiB is not enough',
    ],
    remedies: ['Round the range to pages; allocate the memory with the alignment.'],
  },
  'zero-size': {
    title: 'size is 0, or too large to be a range.',
    rules: [
      'type1-map-dma/zero-length',
      'type1-unmap-dma/misaligned-length',
      'alloc-pages/length-out-of-range',
      'mapping/misaligned-length',
      'unmapping/zero-length',
    ],
    usual: 8,
    why: 'Lengths that are computed can be 0, as that of the whole address space in 64 bits is.',
    evidence: [
      PROVEN,
      { when: ({ fields }) => fields.size === 0n, weight: 60, why: 'The size is 0.' },
    ],
    checks: ['Print size.'],
    remedies: [
      'Skip empty ranges; to unmap everything use VFIO_DMA_UNMAP_FLAG_ALL, or two halves.',
    ],
  },
  wraps: {
    title: 'iova + size or vaddr + size passes the end of the 64-bit address space.',
    rules: [
      'type1-map-dma/wraps',
      'type1-map-dma/wraps-einval',
      'type1-unmap-dma/wraps',
      'type1-unmap-dma/wraps-einval',
      'alloc-pages/address-wraps',
      'mapping/wraps',
      'mapping/page-count-wraps',
      'pinning/wraps',
      'unmapping/wraps',
      'ioas-map/u64-max',
      'ioas-unmap/u64-max',
    ],
    usual: 6,
    why: 'Addresses of that size are mistakes, as while a BAR is sized.',
    checks: ['Print iova, vaddr and size.'],
    remedies: ['Check the sum before the call.'],
  },
  flags: {
    title: 'The flags are wrong: unknown, or neither READ nor WRITE.',
    rules: [
      'type1-map-dma/unknown-flags',
      'type1-map-dma/wrong-flags',
      'compat-map-dma/unknown-flags',
      'ioas-map/no-permission',
      'ioas-map/unknown-flags',
      'domains/no-permission',
      'type1-unmap-dma/unknown-flags',
      'type1-unmap-dma/all-with-range',
      'compat-unmap-dma/unknown-flags',
      'compat-unmap-dma/all-with-range',
      'device-bind-iommufd/unknown-flags',
      'device-bind-iommufd/token-unused',
      'device-attach-iommufd-pt/unknown-flags',
    ],
    usual: 10,
    why: 'A struct that is not cleared has flags by accident; the compatibility layer has no VADDR and no GET_DIRTY_BITMAP.',
    evidence: [PROVEN],
    checks: ['strace -e ioctl shows the flags; CHECK_EXTENSION says which are supported'],
    remedies: ['Clear the struct; ask CHECK_EXTENSION before flags are used.'],
  },
  'short-struct': {
    title: 'argsz (or size) is less than the struct of the call, or a newer part of it is not 0.',
    rules: [
      'type1-map-dma/too-short',
      'compat-map-dma/too-short',
      'type1-unmap-dma/too-short',
      'compat-unmap-dma/too-short',
      'ioctl-dispatch/too-short',
      'ioctl-dispatch/tail-not-zero',
      'device-bind-iommufd/too-short',
      'device-bind-iommufd/tail-not-zero',
      'device-attach-iommufd-pt/too-short',
      'device-attach-iommufd-pt/too-short-for-pasid',
    ],
    usual: 7,
    why: 'It happens in own programs in which argsz is not set.',
    evidence: [PROVEN],
    checks: ['Print argsz: sizeof the struct of the header that the program was built with?'],
    remedies: ['Set argsz to the size of the struct, and clear the rest.'],
  },
  'unknown-call': {
    title:
      'The file has no such call: the number of the ioctl is wrong, the kernel is older than the program, or it is another path.',
    rules: [
      'ioctl-dispatch/unknown-ioctl',
      'type1-dispatch/unknown-ioctl',
      'compat-dispatch/unknown-ioctl',
      'group-dispatch/unknown-ioctl',
      'device-dispatch/of-group',
    ],
    usual: 40,
    why: 'ENOTTY says that the file has no such ioctl.',
    checks: [
      'uname -r, and which file the descriptor is: ls -l /proc/PID/fd',
      'iommufd as /dev/vfio/vfio has no DIRTY_PAGES; a no-IOMMU container maps nothing',
    ],
    remedies: ['Use a kernel that has the call, or the path that has it.'],
  },
} as const satisfies Readonly<Partial<Record<CauseId, Cause>>>;
