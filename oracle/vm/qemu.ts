// SPDX-License-Identifier: MIT
// The command line of the virtual machine: which devices it has, and how its kernel is started.

import type { Accelerator } from './accelerator.ts';

/**
 * `mock` has no IOMMU; `vtd` has VT-d with devices bound to vfio-pci; `mdev` an mdev; `mixed` both of them;
 * `noiommu` has devices bound to vfio-pci without an IOMMU, and an mdev. `virtio` has `vtd`'s
 * devices behind a virtio-iommu, and `coherent` behind a VT-d of 39 bits that can make accesses coherent.
 */
export const VM_PLATFORMS = [
  'mock',
  'vtd',
  'mdev',
  'mixed',
  'noiommu',
  'virtio',
  'coherent',
] as const;

/**
 * `shared` has VT-d with one such device, whose group also has a device that another kernel driver uses: programs are
 * not judged there, because the machine does not report the use of groups.
 */
export type VmPlatform = (typeof VM_PLATFORMS)[number] | 'shared';

export type VmSetup = {
  /** The kernel, a bzImage. */
  readonly image: string;
  readonly platform: VmPlatform;
  /** MiB. */
  readonly memory: number;
  readonly processors: number;
  /** Additional kernel command line parameters. */
  readonly kernelArguments: readonly string[];
};

/** Files of one machine, all in its private folder on the host. */
export type VmFiles = {
  readonly folder: string;
  readonly init: string;
  readonly console: string;
  /** A Unix socket: the guest's end is the virtio port named `runner`. */
  readonly port: string;
  /** The backing of the memory of the ivshmem device, DEVICE_MEMORY_LENGTH bytes. */
  readonly deviceMemory: string;
};

export const DEVICE_MEMORY_LENGTH = 4 * 1024 * 1024;

/** Tags of the two 9p file systems. */
const ROOT_TAG = 'root';
export const PRIVATE_TAG = 'private';
export const PORT_NAME = 'runner';

/** What programs open through VFIO, each in a group of its own. Opening e1000e takes three times as long as edu. */
// edu names 28 bits of an IOVA by default.
const EDU = ['-device', 'edu,dma_mask=0xffffffffffffffff'];
const PCI_DEVICES = [...EDU, '-device', 'e1000e', ...EDU];

const VTD = ['-device', 'intel-iommu,intremap=on,aw-bits=48'];
const COHERENT_VTD = ['-device', 'intel-iommu,intremap=on,aw-bits=39,snoop-control=on'];
const VIRTIO_IOMMU = ['-device', 'virtio-iommu-pci'];
/** It does not isolate interrupts. */
const LET_INTERRUPTS_BE = [
  'vfio_iommu_type1.allow_unsafe_interrupts=1',
  'iommufd.allow_unsafe_interrupts=1',
];

/** An IOMMU cannot distinguish devices behind such a bridge. */
const SHARED_GROUP = [
  ...['-device', 'pcie-pci-bridge,id=bridge'],
  ...['-device', 'edu,bus=bridge,addr=1'],
  ...['-device', 'virtio-serial-pci,bus=bridge,addr=2'],
];

const PLATFORM_ARGUMENTS: Readonly<Record<VmPlatform, readonly string[]>> = {
  mock: [],
  vtd: [...VTD, ...PCI_DEVICES],
  mdev: [],
  mixed: [...VTD, ...PCI_DEVICES],
  noiommu: PCI_DEVICES,
  virtio: [...VIRTIO_IOMMU, ...PCI_DEVICES],
  coherent: [...COHERENT_VTD, ...PCI_DEVICES],
  shared: [...VTD, ...SHARED_GROUP],
};

const PLATFORM_WORDS: Readonly<Record<VmPlatform, readonly string[]>> = {
  mock: [],
  vtd: [],
  mdev: [],
  mixed: [],
  noiommu: ['vfio.enable_unsafe_noiommu_mode=1'],
  virtio: LET_INTERRUPTS_BE,
  coherent: [],
  shared: [],
};

const share = (tag: string, path: string, more: string): string[] => [
  ...['-fsdev', `local,id=${tag},path=${path},security_model=none,multidevs=remap${more}`],
  ...['-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
];

/** no_timer_check: on a busy host the boot-time timer test fails, and the kernel panics. */
const KERNEL_ARGUMENTS = 'console=ttyS0 quiet panic=-1 oops=panic nokaslr no_timer_check';

const kernelCommandLine = (setup: VmSetup, files: VmFiles): string =>
  [
    KERNEL_ARGUMENTS,
    `root=${ROOT_TAG} ro rootfstype=9p rootflags=trans=virtio,version=9p2000.L,msize=1048576,cache=loose`,
    `init=${files.init}`,
    ...PLATFORM_WORDS[setup.platform],
    ...setup.kernelArguments,
  ].join(' ');

export const qemuArguments = (
  setup: VmSetup,
  files: VmFiles,
  accelerator: Accelerator,
): readonly string[] => [
  ...['-accel', accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi'],
  ...['-cpu', accelerator === 'kvm' ? 'host' : 'max'],
  ...['-machine', 'q35', '-smp', `${setup.processors}`, '-m', `${setup.memory}`],
  ...['-nodefaults', '-no-reboot', '-display', 'none', '-serial', `file:${files.console}`],
  ...PLATFORM_ARGUMENTS[setup.platform],
  ...share(ROOT_TAG, '/', ',readonly=on'),
  ...share(PRIVATE_TAG, files.folder, ''),
  ...[
    '-object',
    `memory-backend-file,id=device,size=${DEVICE_MEMORY_LENGTH},share=on,mem-path=${files.deviceMemory}`,
  ],
  ...['-device', 'ivshmem-plain,memdev=device'],
  ...['-device', 'virtio-serial-pci'],
  ...['-chardev', `socket,id=port,path=${files.port},server=on,wait=off`],
  ...['-device', `virtserialport,chardev=port,name=${PORT_NAME}`],
  ...['-kernel', setup.image, '-append', kernelCommandLine(setup, files)],
];
