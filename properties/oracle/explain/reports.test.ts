// SPDX-License-Identifier: MIT
// Lines that people reported, with the cause that was found: it must be among the first two. Names, addresses and numbers
// are replaced. The reports are at:
//   1  github.com/seapath/meta-seapath/issues/166
//   2  github.com/cloud-hypervisor/cloud-hypervisor/issues/165
//   3  github.com/bpg/terraform-provider-proxmox/issues/1353
//   4  github.com/cloud-hypervisor/cloud-hypervisor/issues/8895
//   5  github.com/kata-containers/kata-containers/issues/12549
//   6  github.com/64kramsystem/vga-passthrough/issues/15
//   7  github.com/usnistgov/ndn-dpdk/issues/63
//   8  github.com/AltraMayor/gatekeeper/issues/718
//   9  github.com/spdk/spdk/issues/1142
//  10  github.com/spdk/spdk/issues/3061
//  11  github.com/spdk/spdk/issues/1705
//  12  github.com/FDio/vpp/issues/3448
//  13  github.com/kata-containers/runtime/issues/2774
//  14  github.com/chimera-nas/libevpl/pull/86
//  15  github.com/MicronSSD/unvme/issues/4
//  16  github.com/cloud-hypervisor/cloud-hypervisor/pull/6094
//  17  github.com/kata-containers/kata-containers/issues/10582
//  18  github.com/moby/moby/issues/42240
//  19  github.com/VoltCyclone/PCILeechFWGenerator/issues/145
//  20  github.com/virtio-win/kvm-guest-drivers-windows/issues/573

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CauseId } from '../../../oracle/explain/cause-id.ts';
import { explain } from '../../../oracle/explain/explain.ts';
import { RELEASE_NAMES } from '../../../spec/terms/releases.ts';

type Report = {
  readonly number: number;
  readonly cause: CauseId;
  readonly lines: readonly string[];
};

const REPORTS: readonly Report[] = [
  {
    number: 1,
    cause: 'memlock',
    lines: [
      'qemu-system-x86_64: -device vfio-pci,host=0000:21:00.0,id=hostdev0,bus=pci.2,addr=0x0: vfio 0000:21:00.0: failed to setup container for group 30: memory listener initialization failed: Region pc.ram: vfio_dma_map(0x5581e3a9c6c0, 0x0, 0x80000000, 0x7f14c0000000) = -12 (Cannot allocate memory)',
    ],
  },
  {
    number: 2,
    cause: 'memlock',
    lines: ['[  212.000001] vfio_pin_pages_remote: RLIMIT_MEMLOCK (8388608) exceeded'],
  },
  {
    number: 3,
    cause: 'beyond-aperture',
    lines: [
      'Jan 01 10:00:00 host QEMU[1000]: kvm: VFIO_MAP_DMA failed: Invalid argument',
      'Jan 01 10:00:00 host QEMU[1000]: kvm: vfio_dma_map(0x55e043d0a2f0, 0x380020000000, 0x2000000, 0x7f1a6ce00000) = -22 (Invalid argument)',
    ],
  },
  {
    number: 4,
    cause: 'bar',
    lines: [
      'Failed to map VFIO MMIO region: Failed to DMA map: failed to map an IOVA range to the IOAS: Bad address (os error 14)',
    ],
  },
  {
    number: 5,
    cause: 'bar',
    lines: [
      'qemu-system-x86_64: IOMMU_IOAS_MAP failed: Bad address, PCI BAR?',
      'qemu-system-x86_64: vfio_container_dma_map(0x55558770b400, 0xfb000000, 0x4000, 0x7f88e9d2c000) = -14 (Bad address)',
    ],
  },
  {
    number: 6,
    cause: 'group-in-use',
    lines: [
      'qemu-system-x86_64: -device vfio-pci,host=02:00.0,multifunction=on: vfio error: 0000:02:00.0: group 2 is not viable',
      'Please ensure all devices within the iommu_group are bound to their vfio bus driver.',
    ],
  },
  {
    number: 7,
    cause: 'group-in-use',
    lines: [
      'EAL: 0000:45:00.1 VFIO group is not viable! Not all devices in IOMMU group bound to VFIO or unbound',
    ],
  },
  {
    number: 8,
    cause: 'firmware-mapping',
    lines: ['EAL:   0000:05:00.1 cannot add VFIO group to container, error 22 (Invalid argument)'],
  },
  {
    number: 9,
    cause: 'entry-limit',
    lines: ['vtophys.c: 500:vtophys_iommu_map_dma: *ERROR*: Cannot set up DMA mapping, error 28'],
  },
  {
    number: 10,
    cause: 'overlapping-map',
    lines: [
      'memory.c: 800:_vfio_iommu_map_dma: *NOTICE*: Cannot set up DMA mapping, error 17, ignored',
    ],
  },
  {
    number: 11,
    cause: 'part-of-map',
    lines: ['EAL: Unexpected size 0 of DMA remapping cleared instead of 4194304'],
  },
  {
    number: 12,
    cause: 'group-open',
    lines: [
      'EAL: Cannot open /dev/vfio/77: Device or resource busy',
      'EAL: Failed to open VFIO group 77',
    ],
  },
  {
    number: 13,
    cause: 'device-cgroup',
    lines: [
      'qemu-system-x86_64: -device vfio-pci,host=0000:4b:00.4,romfile=: vfio error: 0000:4b:00.4: failed to open /dev/vfio/90: Operation not permitted',
    ],
  },
  {
    number: 14,
    cause: 'no-type',
    lines: ['Failed to MAP DMA memory: Invalid argument    vfio.c'],
  },
  {
    number: 15,
    cause: 'beyond-aperture',
    lines: [
      '[ 1234.567890] intel_iommu_map: iommu width (39) is not sufficient for the mapped address (9000001000)',
    ],
  },
  {
    number: 16,
    cause: 'reserved-range',
    lines: ['Error booting VM: VmBoot(DeviceManager(VfioDmaMap(IommuDmaMap(Error(22)))))'],
  },
  {
    number: 17,
    cause: 'overlapping-map',
    lines: ['VfioMapRegion(DmaMap(IommuDmaMap(Error(17))))'],
  },
  {
    number: 18,
    cause: 'modules-missing',
    lines: [
      'EAL: Probing VFIO support...',
      'EAL:   cannot open VFIO container, error 2 (No such file or directory)',
      'EAL: VFIO support could not be initialized',
    ],
  },
  {
    number: 19,
    cause: 'group-has-container',
    lines: ['ERROR [VFIO] Failed to link group 9 to container: [Errno 22] Invalid argument'],
  },
  {
    number: 20,
    cause: 'no-memory-behind',
    lines: [
      'qemu-system-x86_64: -device vfio-pci,host=0000:0c:00.0,id=hostdev3: VFIO_MAP_DMA failed: Bad address',
      'qemu-system-x86_64: -device vfio-pci,host=0000:0c:00.0,id=hostdev3: vfio 0000:0c:00.0: failed to setup container for group 18: memory listener initialization failed: Region pc.ram: vfio_dma_map(0x560a3b6ed880, 0x100000000, 0x200000000, 0x7f6a47fff000) = -14 (Bad address)',
    ],
  },
];

const reports = suite('reports');

for (const { number, cause, lines } of REPORTS) {
  reports(`${number}: ${cause} is among the first two`, () => {
    const { explanations } = explain(lines, RELEASE_NAMES);
    assert.is(explanations.length, 1);
    const first = explanations[0]?.ranking.causes.slice(0, 2).map(({ id }) => id) ?? [];
    assert.ok(first.includes(cause), first.join(', '));
  });
}

reports.run();
