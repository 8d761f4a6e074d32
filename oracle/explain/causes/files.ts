// SPDX-License-Identifier: MIT
// Causes before any call: files, modules and the kernel's command line. The specification has no rules for them.

import type { CallName } from '../calls.ts';
import type { Cause } from '../cause.ts';
import type { CauseId } from '../cause-id.ts';
import { isAbout } from '../clue.ts';

const OPENS: readonly CallName[] = [
  'open of /dev/vfio/N',
  'open of /dev/vfio/vfio',
  'open of /dev/iommu',
  'open of /dev/vfio/devices/vfioN',
];

export const fileCauses = {
  'file-mode': {
    title: 'The user may not open the file: its mode or owner, or SELinux or AppArmor.',
    rules: [],
    beyond: [{ calls: OPENS, errnos: ['EACCES', 'EPERM'] }],
    usual: 45,
    why: 'Group files and /dev/iommu belong to root until a udev rule changes that; /dev/vfio/vfio is 0666.',
    evidence: [
      {
        when: ({ errno }) => errno === 'EACCES',
        weight: 30,
        why: 'EACCES is the answer of file permissions.',
      },
    ],
    checks: ['ls -lZ /dev/vfio /dev/iommu; id', 'ausearch -m avc, or dmesg | grep -i apparmor'],
    remedies: [
      'A udev rule: SUBSYSTEM=="vfio", OWNER="USER" (and KERNEL=="iommu", GROUP="kvm", MODE="0660"). libvirt sets the owner itself; containers need the owner mapped (--group-add).',
    ],
  },
  'device-cgroup': {
    title: 'The device cgroup of a container or service does not allow the file.',
    rules: [],
    beyond: [{ calls: OPENS, errnos: ['EPERM'] }],
    usual: 50,
    why: 'EPERM of an open, rather than EACCES, comes from the device cgroup for files that root could open.',
    evidence: [
      {
        when: ({ hints }) => hints.has('no-iommu'),
        weight: -30,
        why: 'For no-IOMMU groups a missing capability answers so, too.',
      },
      {
        when: ({ hints }) => hints.has('container-runtime'),
        weight: 20,
        why: 'A container runtime started the program.',
      },
    ],
    checks: [
      'systemctl show SERVICE | grep Device; docker inspect: Devices, DeviceCgroupRules',
      'Is /dev/vfio/N allowed, not only /dev/vfio/vfio?',
    ],
    remedies: [
      '--device /dev/vfio/N --device /dev/vfio/vfio; DeviceAllow=/dev/vfio/N rw of the unit; cgroup_device_acl in qemu.conf of libvirt.',
    ],
  },
  'modules-missing': {
    title: 'The module is not loaded or not built: vfio, vfio_iommu_type1, vfio_pci, or iommufd.',
    rules: [],
    beyond: [
      { calls: OPENS, errnos: ['ENOENT', 'ENODEV', 'ENXIO'] },
      { calls: ['VFIO_SET_IOMMU'], errnos: ['ENODEV'] },
    ],
    usual: 35,
    why: 'Without the module the file is missing, or its open answers ENODEV.',
    evidence: [
      {
        when: ({ hints }) => hints.has('mdev'),
        weight: 20,
        why: 'An mdev needs the module of its driver, and vfio_mdev on older kernels.',
      },
      {
        when: ({ errno }) => errno === 'ENODEV',
        weight: 20,
        why: 'ENODEV means that nothing serves the file or the type.',
      },
      {
        when: (clue) => isAbout(clue, 'open of /dev/vfio/vfio', 'open of /dev/iommu'),
        weight: 35,
        why: 'The file comes with its module.',
      },
    ],
    checks: [
      'lsmod | grep -E "vfio|iommufd"; ls /dev/vfio /dev/iommu',
      'Inside a container: load them on the host, and pass the files in',
    ],
    remedies: [
      'modprobe vfio-pci (which loads vfio and vfio_iommu_type1), modprobe iommufd; a kernel with CONFIG_VFIO or CONFIG_IOMMUFD.',
    ],
  },
  'iommu-off': {
    title: 'The IOMMU is off, so that the device has no group.',
    rules: [],
    beyond: [
      { calls: ['open of /dev/vfio/N', 'open of /dev/vfio/devices/vfioN'], errnos: ['ENOENT'] },
      { calls: ['binding a device to vfio-pci'], errnos: ['EINVAL', 'ENODEV', 'ENOENT'] },
      { calls: ['VFIO_SET_IOMMU'], errnos: ['ENODEV'] },
    ],
    usual: 40,
    why: 'VFIO needs a group for each device, and groups come from the IOMMU.',
    checks: [
      'ls /sys/kernel/iommu_groups   (empty?)',
      'dmesg | grep -iE "DMAR|AMD-Vi|IOMMU enabled"; cat /proc/cmdline',
    ],
    remedies: [
      'Switch VT-d or AMD-Vi on in the firmware, and boot with intel_iommu=on (or iommu=pt on AMD).',
      'Without an IOMMU: no-IOMMU mode, echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode, in which devices reach all memory.',
    ],
  },
} as const satisfies Readonly<Partial<Record<CauseId, Cause>>>;
