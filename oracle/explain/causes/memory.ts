// SPDX-License-Identifier: MIT
// Causes in the memory that is mapped: limits on pinned pages, and pages that cannot be pinned.

import type { CallName } from '../calls.ts';
import type { Cause } from '../cause.ts';
import type { CauseId } from '../cause-id.ts';
import { type Clue, isAbout, overlaps } from '../clue.ts';

/** Calls that pin pages. */
const PINNING: readonly CallName[] = [
  'VFIO_IOMMU_MAP_DMA',
  'IOMMU_IOAS_MAP',
  'IOMMU_IOAS_MAP_FILE',
  'IOMMU_IOAS_COPY',
  'VFIO_SET_IOMMU',
  'VFIO_GROUP_SET_CONTAINER',
  'VFIO_GROUP_GET_DEVICE_FD',
  'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
  'IOMMU_HWPT_ALLOC',
];

const MIB = 1n << 20n;
const GIB = 1n << 30n;

/** Larger ranges are memory of a guest more often than BARs, unless their IOVA is far up. */
const SMALL = 32n * MIB;

const isHuge = ({ fields: { size } }: Clue): boolean => size !== undefined && size >= 256n * MIB;

const isLow = ({ fields: { iova } }: Clue): boolean => iova !== undefined && iova < 64n * GIB;

/** Where firmware puts BARs: below 4 GiB, and in the 64-bit window far above the memory. */
const isWhereBarsAre = ({ fields }: Clue): boolean =>
  (overlaps(fields, 0xc000_0000n, 0xffff_ffffn) === true &&
    fields.size !== undefined &&
    fields.size <= GIB) ||
  (fields.iova !== undefined && fields.iova >= 1n << 38n);

const isSmall = ({ fields: { size } }: Clue): boolean => size !== undefined && size <= SMALL;

export const memoryCauses = {
  memlock: {
    title: 'RLIMIT_MEMLOCK of the program is too low for the memory that it maps.',
    rules: [
      'type1-locked-memory/process-limit',
      'locked-memory/user-limit',
      'locked-memory/process-limit',
    ],
    usual: 70,
    why: 'It is the commonest cause of ENOMEM: every page that a device may reach counts, hugepages too.',
    evidence: [
      {
        when: ({ program }) => program === 'libvirt',
        weight: 10,
        why: 'libvirt sets the limit itself, from the size of the guest or from hard_limit.',
      },
      {
        when: (clue) => isAbout(clue, 'IOMMU_IOAS_MAP') && isWhereBarsAre(clue),
        weight: 10,
        why: 'An iommufd that maps a BAR charges it like memory.',
      },
      {
        when: ({ errno }) => errno === undefined,
        weight: 15,
        why: 'The line has no error, and ENOMEM is the commonest.',
      },
    ],
    checks: [
      'grep "Max locked memory" /proc/PID/limits   (of the running program, not of your shell)',
      'grep -E "VmLck|VmPin" /proc/PID/status      (what type1 and iommufd have charged)',
      'dmesg | grep RLIMIT_MEMLOCK                 (type1 logs it; iommufd logs nothing)',
    ],
    remedies: [
      'Raise the limit above all memory that is mapped: `ulimit -l unlimited`, LimitMEMLOCK=infinity in the systemd unit, memlock in /etc/security/limits.conf (log in again), `--ulimit memlock=-1` for a container.',
      'libvirt: raise <memtune><hard_limit>, and let libvirtd change limits (CAP_SYS_RESOURCE).',
      'CAP_IPC_LOCK removes the limit.',
    ],
  },
  'memlock-charged-twice': {
    title:
      'The limit would do for one map of the memory, but the same or other memory is charged beside it.',
    rules: [
      'type1-locked-memory/process-limit',
      'locked-memory/user-limit',
      'locked-memory/process-limit',
    ],
    usual: 30,
    why: 'Each container charges the memory again, as with several devices behind a virtual IOMMU; iommufd charges the user, with io_uring, RDMA and all other programs of that user.',
    evidence: [
      {
        when: (clue) => isAbout(clue, 'IOMMU_IOAS_MAP', 'IOMMU_IOAS_MAP_FILE'),
        weight: 20,
        why: 'Native calls of iommufd charge the user, so that other processes of the user count.',
      },
    ],
    checks: [
      'Does it fail with the second device, the second guest, or another program of the same user only?',
      'grep -h VmPin /proc/[0-9]*/status | sort -u  (of all processes of the user)',
    ],
    remedies: [
      'Set the limit to the sum: the memory times the number of containers, and what the user has locked beside it.',
      'Several devices in one container or IOAS charge the memory once.',
      'One user for each guest. IOMMU_OPTION RLIMIT_MODE charges the process instead of the user.',
    ],
  },
  'kernel-memory': {
    title: 'The kernel could not allocate page tables, or a memory cgroup has reached its limit.',
    rules: [],
    beyond: [
      { calls: [...PINNING, 'VFIO_IOMMU_UNMAP_DMA', 'IOMMU_IOAS_UNMAP'], errnos: ['ENOMEM'] },
    ],
    usual: 15,
    why: 'It is rare, and shows in the log of the kernel.',
    checks: [
      'dmesg | grep -iE "page allocation failure|out of memory"',
      'cat memory.max memory.events                (in the cgroup of the program)',
    ],
    remedies: ['Free memory, raise memory.max, or map larger contiguous pieces (hugepages).'],
  },
  'no-memory-behind': {
    title:
      'A part of the range has no memory: not mapped, PROT_NONE, beyond the end of its file, or no hugepage is free.',
    rules: [
      'type1-pinning/not-mapped',
      'type1-pinning/beyond-file',
      'type1-pinning/not-accessible',
      'pinning/not-mapped',
      'pinning/beyond-file',
      'pinning/not-accessible',
    ],
    usual: 40,
    why: 'Memory of guests is allocated when it is pinned, and a shortage shows here as EFAULT.',
    evidence: [
      {
        when: ({ hints }) => hints.has('guest-memory'),
        weight: 35,
        why: 'The range is memory of a guest or of the program.',
      },
      {
        when: (clue) => isHuge(clue) && isLow(clue),
        weight: 30,
        why: 'A large range at a low IOVA is memory of a guest, not a BAR.',
      },
      {
        when: ({ program }) => program === 'DPDK' || program === 'SPDK',
        weight: 20,
        why: 'DPDK and SPDK map hugepages, of which there may be fewer than reserved.',
      },
    ],
    checks: [
      'grep -i huge /proc/meminfo                  (HugePages_Free, and by node in /sys/devices/system/node)',
      'df of the file system of the memory (/dev/shm, /dev/hugepages), and the size of its file',
      'Which mapping has the address? grep in /proc/PID/maps',
    ],
    remedies: [
      'Provide enough hugepages on the right node, and allocate before mapping (QEMU: prealloc=on), so that the shortage is reported where it arises.',
      'Make the file at least as long as the mapping; map what exists only.',
    ],
  },
  'file-not-pinnable': {
    title:
      'The memory is a shared mapping of a file that the kernel does not pin for long (a disk file system, DAX).',
    rules: ['pinning/not-memory'],
    beyond: [{ calls: PINNING, errnos: ['EFAULT', 'EOPNOTSUPP'] }],
    usual: 25,
    why: 'Since 6.5 the kernel refuses to pin pages of a file system that writes them back.',
    evidence: [
      {
        when: ({ hints }) => hints.has('guest-memory'),
        weight: 25,
        why: 'The memory of a guest may be a file, as with shared access without memfd.',
      },
      {
        when: (clue) => isHuge(clue) && isLow(clue),
        weight: 15,
        why: 'A large range at a low IOVA is memory of a guest, which may be a file.',
      },
    ],
    checks: [
      'grep ADDRESS /proc/PID/maps, and stat -f of the file that it names: tmpfs and hugetlbfs can be pinned',
      'libvirt: is there <access mode="shared"/> without <source type="memfd"/>?',
    ],
    remedies: [
      'Use memfd, tmpfs or hugetlbfs: memory-backend-memfd of QEMU, <memoryBacking><source type="memfd"/> of libvirt.',
      'A private mapping of the file can be pinned.',
    ],
  },
  bar: {
    title:
      'The range is a BAR of a device (peer to peer). iommufd cannot pin it by address; type1 can, while the device decodes memory.',
    rules: ['pinning/not-memory', 'type1-pinning/bar-not-writable'],
    beyond: [{ calls: PINNING, errnos: ['EFAULT'] }],
    usual: 35,
    why: 'VMMs map the BARs of passed-through devices, too.',
    evidence: [
      { when: ({ hints }) => hints.has('bar'), weight: 70, why: 'The message is about a BAR.' },
      {
        when: ({ hints }) => hints.has('guest-memory'),
        weight: -30,
        why: 'The range is memory, not a BAR.',
      },
      {
        when: (clue) => isWhereBarsAre(clue),
        weight: 40,
        why: 'The IOVA is where firmware puts BARs.',
      },
      {
        when: (clue) => isSmall(clue) && !isWhereBarsAre(clue),
        weight: 10,
        why: 'The range is small, as BARs are.',
      },
      {
        when: (clue) => isHuge(clue) && isLow(clue) && !isWhereBarsAre(clue),
        weight: -30,
        why: 'The range is large and at a low IOVA, as memory of a guest is.',
      },
      {
        when: (clue) => isAbout(clue, 'IOMMU_IOAS_MAP') && !clue.hints.has('guest-memory'),
        weight: 20,
        why: 'iommufd pins no BARs by address.',
      },
    ],
    checks: [
      'Is the IOVA the address of a BAR in the guest? lspci -v there, or `info mtree` in the QEMU monitor',
      'Does the program continue? QEMU only warns: then only DMA between devices is lost',
    ],
    remedies: [
      'A device that needs no DMA to other devices works all the same: the warning is harmless.',
      'cloud-hypervisor: vfio_p2p_dma=off. QEMU: x-no-mmap=on for the device keeps its BARs out of the maps, at the price of slow access.',
      'For peer to peer: the legacy container, or on 6.19 and later a dma-buf of the BAR (VFIO_DEVICE_FEATURE_DMA_BUF) with IOMMU_IOAS_MAP_FILE.',
    ],
  },
  'read-only-memory': {
    title: 'The memory may not be written by the process, and the map asks for WRITE.',
    rules: ['type1-pinning/not-writable', 'pinning/not-writable', 'mapping/read-only-pages'],
    usual: 15,
    why: 'It affects ROMs, and files that are opened or mapped read-only.',
    checks: ['grep ADDRESS /proc/PID/maps: is it without w?'],
    remedies: ['Map it with READ alone, or make the memory writable (a private mapping will do).'],
  },
} as const satisfies Readonly<Partial<Record<CauseId, Cause>>>;
