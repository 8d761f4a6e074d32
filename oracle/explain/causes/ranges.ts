// SPDX-License-Identifier: MIT
// Causes in the range of IOVAs: what the IOMMU translates, what is reserved, and what is mapped already.

import type { Cause } from '../cause.ts';
import type { CauseId } from '../cause-id.ts';
import { type Clue, isAbout, lastIova, overlaps } from '../clue.ts';

const BITS_39 = 1n << 39n;
const BITS_48 = 1n << 48n;

const reaches = (clue: Clue, start: bigint): boolean => (lastIova(clue.fields) ?? 0n) >= start;

/** The window of message signalled interrupts on x86. */
const onMsi = ({ fields }: Clue): boolean => overlaps(fields, 0xfee0_0000n, 0xfeef_ffffn) === true;

/** What AMD's processors keep for HyperTransport. */
const onHyperTransport = ({ fields }: Clue): boolean =>
  overlaps(fields, 0xfd_0000_0000n, 0xff_ffff_ffffn) === true;

const hasRange = ({ fields }: Clue): boolean => lastIova(fields) !== undefined;

export const rangeCauses = {
  'beyond-aperture': {
    title:
      'The range ends beyond what the IOMMU translates: 39 bits on many client machines and behind a virtual IOMMU, else 48 or 57.',
    rules: [
      'type1-map-dma/outside-iova-ranges',
      'type1-attach-group/aperture-conflicts',
      'type1-attach-group/beyond-aperture',
      'type1-attach-group/beyond-aperture-efault',
      'mapping/reserved',
      'reserving/mapped',
    ],
    usual: 45,
    why: 'It is the commonest cause of EINVAL of a map: BARs far up, or IOVAs that are virtual addresses.',
    evidence: [
      {
        when: (clue) => reaches(clue, BITS_48),
        weight: 60,
        why: 'The last IOVA needs more than 48 bits, which few IOMMUs have.',
      },
      {
        when: (clue) => reaches(clue, BITS_39) && !reaches(clue, BITS_48),
        weight: 45,
        why: 'The last IOVA needs more than 39 bits, which is all that many IOMMUs have.',
      },
      {
        when: (clue) => hasRange(clue) && !reaches(clue, BITS_39),
        weight: -40,
        why: 'The range is within 39 bits, which every IOMMU has.',
      },
      {
        when: (clue) =>
          !hasRange(clue) &&
          isAbout(clue, 'VFIO_IOMMU_MAP_DMA') &&
          (clue.program === 'DPDK' || clue.program === 'SPDK'),
        weight: 15,
        why: 'DPDK and SPDK take virtual addresses as IOVAs, which need 47 bits.',
      },
      {
        when: (clue) => isAbout(clue, 'VFIO_SET_IOMMU', 'VFIO_GROUP_SET_CONTAINER'),
        weight: -30,
        why: 'Nothing is mapped yet when the first group joins.',
      },
    ],
    checks: [
      'cat /sys/class/iommu/dmar*/intel-iommu/cap  (VT-d: bits 16 to 21, plus 1, are the width of guest addresses, MGAW)',
      'VFIO_IOMMU_GET_INFO lists the IOVA ranges; IOMMU_IOAS_IOVA_RANGES likewise',
      'lscpu | grep "Address sizes": 46 physical bits beside an IOMMU with 39 is the usual pair',
      'Is this machine a guest with a virtual IOMMU?',
    ],
    remedies: [
      'QEMU: keep BARs and memory below the width: `-cpu host,guest-phys-bits=39` (or host-phys-bits-limit=39), or a smaller 64-bit window of OVMF (opt/ovmf/X-PciMmio64Mb). Proxmox and libvirt: the same by a CPU type with fewer physical bits.',
      'In a guest: give the virtual IOMMU more bits (`-device intel-iommu,aw-bits=48`).',
      'DPDK, SPDK: --iova-mode=pa, or --base-virtaddr below the width. Own programs: choose IOVAs in the ranges that the kernel lists.',
      'If only BARs fail and the program continues, nothing but DMA between devices is lost.',
    ],
  },
  'reserved-range': {
    title:
      "The range overlaps reserved IOVAs: the MSI window [0xfee00000, 0xfeefffff], firmware's RMRRs, AMD's HyperTransport from 0xfd00000000.",
    rules: [
      'type1-map-dma/outside-iova-ranges',
      'type1-attach-group/reserved-mapped',
      'type1-attach-group/no-iova-left',
      'mapping/reserved',
      'reserving/mapped',
      'reserving/allowed',
    ],
    usual: 30,
    why: 'Devices and firmware reserve ranges, and a map that touches one fails as a whole.',
    evidence: [
      {
        when: onMsi,
        weight: 80,
        why: 'The range overlaps the MSI window, which is reserved on x86.',
      },
      {
        when: onHyperTransport,
        weight: 75,
        why: "The range overlaps AMD's HyperTransport range, which is reserved on AMD.",
      },
      {
        when: (clue) => hasRange(clue) && !reaches(clue, BITS_39) && !onMsi(clue),
        weight: 15,
        why: 'The IOMMU has enough bits for the range, so that a reserved part is left.',
      },
      {
        when: (clue) => isAbout(clue, 'VFIO_DEVICE_ATTACH_IOMMUFD_PT'),
        weight: 20,
        why: 'Each device brings its reserved ranges into the IOAS.',
      },
      {
        when: (clue) => !hasRange(clue) && clue.hints.has('guest-memory'),
        weight: 20,
        why: 'Memory of a large guest passes the reserved range below 1 TiB on AMD.',
      },
      {
        when: (clue) => isAbout(clue, 'VFIO_SET_IOMMU', 'VFIO_GROUP_SET_CONTAINER'),
        weight: -20,
        why: 'Nothing is mapped yet when the first group joins.',
      },
    ],
    checks: [
      'cat /sys/kernel/iommu_groups/N/reserved_regions  (of each group in the container)',
      'dmesg | grep -iE "RMRR|IVMD"',
    ],
    remedies: [
      'Leave the reserved ranges out. QEMU places memory above 1 TiB on AMD since 7.1 (machine types from pc-q35-7.1).',
      'An RMRR in low memory: relax it in the firmware (on HPE ProLiant servers RMRR can be switched off by slot), or use another slot or device.',
    ],
  },
  'overlapping-map': {
    title: 'A part of the range is mapped already, in this container or IOAS.',
    rules: ['type1-map-dma/overlaps', 'mapping/overlaps'],
    usual: 60,
    why: 'Only a map at the same IOVA answers EEXIST; type1 changes nothing then.',
    checks: [
      'Do two parts of the program, or two processes with one container, map the same memory?',
      'Has an unmap failed before, or returned a size of 0?',
    ],
    remedies: [
      'Unmap first, or keep a record of what is mapped. Mapping the same range twice is not counted.',
      'SPDK continues: the memory is mapped, and the notice is harmless unless the memory behind changed.',
    ],
  },
  'entry-limit': {
    title:
      'The container has as many maps as vfio_iommu_type1.dma_entry_limit allows (65535 by default).',
    rules: ['type1-map-dma/too-many-maps'],
    usual: 80,
    why: 'It is the only rule of type1 with ENOSPC; programs that map 2 MiB or 4 KiB pieces reach it.',
    checks: [
      'cat /sys/module/vfio_iommu_type1/parameters/dma_entry_limit',
      'How many maps does it make? 65535 of 2 MiB are 128 GiB',
    ],
    remedies: [
      'Map larger pieces: 1 GiB hugepages, contiguous memory in one call; QEMU: a larger block-size of virtio-mem.',
      'echo 4194304 > /sys/module/vfio_iommu_type1/parameters/dma_entry_limit before the container is opened, or `options vfio_iommu_type1 dma_entry_limit=4194304` in /etc/modprobe.d.',
      'iommufd has no such limit.',
    ],
  },
  'no-free-iova': {
    title: 'No free range of IOVAs fits the map, where the kernel chooses it.',
    rules: ['choosing-iova/no-space', 'choosing-iova/too-long'],
    usual: 40,
    why: 'The allowed ranges are too small or too full.',
    checks: [
      'IOMMU_IOAS_IOVA_RANGES lists what is usable; IOMMU_IOAS_ALLOW_IOVAS may have narrowed it',
    ],
    remedies: ['Allow more ranges, map smaller pieces, or choose the IOVA (FIXED_IOVA).'],
  },
} as const satisfies Readonly<Partial<Record<CauseId, Cause>>>;
