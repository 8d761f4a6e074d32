// SPDX-License-Identifier: MIT
// Causes in the device, its IOMMU and its firmware.

import type { Cause } from '../cause.ts';
import type { CauseId } from '../cause-id.ts';
import { isAbout } from '../clue.ts';

export const deviceCauses = {
  interrupts: {
    title:
      'The IOMMU does not isolate interrupts (no interrupt remapping), and unsafe interrupts are not allowed.',
    rules: ['type1-attach-group/interrupts-not-isolated', 'binding/interrupts-not-isolated'],
    usual: 60,
    why: 'It is the commonest cause of EPERM where a group gets its IOMMU: older machines, guests, and firmware that switches remapping off.',
    checks: [
      'dmesg | grep -iE "remapping|allow_unsafe_interrupts"',
      'cat /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts /sys/module/iommufd/parameters/allow_unsafe_interrupts',
    ],
    remedies: [
      'Switch interrupt remapping (x2APIC) on in the firmware. In a guest: `-device intel-iommu,intremap=on` with kernel-irqchip=split.',
      'If the guest or program is trusted: vfio_iommu_type1.allow_unsafe_interrupts=1 for the legacy container, iommufd.allow_unsafe_interrupts=1 for iommufd. Each ignores the other.',
    ],
  },
  'firmware-mapping': {
    title:
      'Firmware wants a 1:1 mapping of the device (RMRR), so that the kernel gives it to no program.',
    rules: [],
    beyond: [
      {
        calls: ['VFIO_GROUP_SET_CONTAINER', 'VFIO_GROUP_GET_DEVICE_FD', 'VFIO_DEVICE_BIND_IOMMUFD'],
        errnos: ['EINVAL'],
      },
      { calls: ['VFIO_SET_IOMMU', 'VFIO_DEVICE_ATTACH_IOMMUFD_PT'], errnos: ['EINVAL', 'EPERM'] },
    ],
    usual: 30,
    why: 'It is common on servers with RMRRs; the kernel logs it.',
    evidence: [
      {
        when: ({ hints }) => hints.has('firmware'),
        weight: 80,
        why: "The kernel's log says so.",
      },
      {
        when: (clue) => isAbout(clue, 'VFIO_GROUP_SET_CONTAINER') && clue.errno === 'EINVAL',
        weight: 15,
        why: 'No rule with EINVAL fits a program that sets the container once.',
      },
      {
        when: (clue) => isAbout(clue, 'VFIO_SET_IOMMU') && clue.errno === 'EPERM',
        weight: 5,
        why: 'Kernels before 6.6 refuse SET_IOMMU with EPERM for it.',
      },
      {
        when: (clue) => isAbout(clue, 'VFIO_DEVICE_ATTACH_IOMMUFD_PT', 'VFIO_GROUP_GET_DEVICE_FD'),
        weight: -15,
        why: 'It shows when the group joins or the device is bound.',
      },
    ],
    checks: [
      'dmesg | grep -iE "1:1|RMRR|ineligible"',
      'cat /sys/kernel/iommu_groups/N/reserved_regions   ("direct")',
    ],
    remedies: [
      'Switch the RMRR off for the slot in the firmware (HPE: conrep or RBSU "HPE shared memory features"), update it, or use another slot.',
      'The kernel has no option for it; distributions have patches that relax it.',
    ],
  },
  'iommu-refuses': {
    title:
      'The IOMMU driver does not attach the device: another domain is in use, or it lacks what VFIO needs (cache coherency).',
    rules: [],
    beyond: [
      {
        calls: [
          'VFIO_SET_IOMMU',
          'VFIO_GROUP_SET_CONTAINER',
          'VFIO_GROUP_GET_DEVICE_FD',
          'VFIO_DEVICE_BIND_IOMMUFD',
          'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
        ],
        errnos: ['EINVAL', 'EBUSY', 'EIO', 'ENODEV', 'ENOMEM', 'EOPNOTSUPP'],
      },
    ],
    usual: 18,
    why: 'Reasons of drivers are not in the rules; the kernel logs some.',
    evidence: [
      {
        when: ({ hints }) => hints.has('mdev'),
        weight: 20,
        why: 'The driver of an mdev decides itself.',
      },
    ],
    checks: [
      'dmesg, the last lines after the call',
      'Is the device behind its IOMMU (cat its iommu_group), not in identity mode by a driver?',
    ],
    remedies: ['Follow the log of the kernel; update the kernel, or the driver of the mdev.'],
  },
  'no-such-device': {
    title: 'The group has no device of that name, or it is not bound to a VFIO driver.',
    rules: ['group-get-device-fd/no-device'],
    usual: 60,
    why: 'The name is compared with the devices that VFIO drivers have: 0000:65:00.0 with its domain.',
    checks: ['ls /sys/bus/pci/drivers/vfio-pci /sys/kernel/iommu_groups/N/devices'],
    remedies: ['Bind the device to vfio-pci; write the full name.'],
  },
  'device-busy': {
    title: 'The device is open already, by another program or as a part of this one.',
    rules: ['device-bind-iommufd/open-elsewhere', 'device-attach-iommufd-pt/attached-otherwise'],
    beyond: [
      {
        calls: ['VFIO_GROUP_GET_DEVICE_FD', 'open of /dev/vfio/devices/vfioN'],
        errnos: ['EBUSY'],
      },
    ],
    usual: 45,
    why: 'A device serves one program.',
    checks: ['fuser -v /dev/vfio/N /dev/vfio/devices/*'],
    remedies: ['End the other program.'],
  },
  'driver-refuses': {
    title:
      'The VFIO driver of the device could not open it: power state, reset, or a defective device.',
    rules: [],
    beyond: [
      {
        calls: ['VFIO_GROUP_GET_DEVICE_FD', 'VFIO_DEVICE_BIND_IOMMUFD'],
        errnos: ['EIO', 'ENOTTY', 'EBUSY', 'EINVAL', 'ENODEV', 'ENOMEM', 'EOPNOTSUPP'],
      },
      {
        calls: ['binding a device to vfio-pci'],
        errnos: ['EBUSY', 'EIO', 'ENOMEM', 'EPERM', 'ENOTTY'],
      },
    ],
    usual: 20,
    why: 'What drivers answer is not in the rules; the kernel logs why.',
    evidence: [
      {
        when: (clue) => isAbout(clue, 'VFIO_GROUP_GET_DEVICE_FD'),
        weight: 15,
        why: 'GET_DEVICE_FD of the legacy container fails for few other reasons.',
      },
      {
        when: ({ hints }) => hints.has('mdev'),
        weight: 30,
        why: 'The driver of an mdev decides itself.',
      },
    ],
    checks: [
      'dmesg | grep DEVICE',
      'lspci -vv -s DEVICE: "!!! Unknown header type" means that it does not answer',
    ],
    remedies: ['Power the machine off and on; vfio-pci.disable_idle_d3=1; another reset_method.'],
  },
  'vf-token': {
    title:
      'The physical function is bound to vfio-pci, and its virtual function needs the token of it (vf-token).',
    rules: ['group-get-device-fd/unknown-option', 'device-bind-iommufd/token-unused'],
    beyond: [
      {
        calls: ['VFIO_GROUP_GET_DEVICE_FD', 'VFIO_DEVICE_BIND_IOMMUFD'],
        errnos: ['EACCES', 'EINVAL'],
      },
    ],
    usual: 12,
    why: 'It is only for virtual functions whose physical function VFIO has.',
    evidence: [
      {
        when: ({ errno }) => errno === 'EACCES',
        weight: 60,
        why: 'vfio-pci answers EACCES for a missing or wrong token.',
      },
    ],
    checks: ['lspci -k: has the physical function vfio-pci? dmesg | grep -i token'],
    remedies: [
      'Pass the token: DPDK --vfio-vf-token=UUID, QEMU vf-token=UUID; the program with the physical function sets it.',
    ],
  },
  'other-domain': {
    title:
      'The device does not fit the domain: another IOMMU, other capabilities, or its group is attached elsewhere.',
    rules: [
      'attaching/incompatible',
      'attaching/group-elsewhere',
      'attaching/not-for-hardware',
      'device-attach-iommufd-pt/attached-otherwise',
      'device-attach-iommufd-pt/pasid-incompatible',
      'device-attach-iommufd-pt/pasid-too-large',
    ],
    usual: 45,
    why: 'An hwpt is of one IOMMU, and all devices of a group share one.',
    evidence: [
      {
        when: (clue) => isAbout(clue, 'VFIO_GROUP_GET_DEVICE_FD'),
        weight: -20,
        why: 'It can only be if an iommufd is the container.',
      },
    ],
    checks: [
      'ls -l /sys/class/iommu/*/devices   (which IOMMU has which device?)',
      'Are other devices of the group attached to another hwpt?',
    ],
    remedies: [
      'Attach to the IOAS, which chooses or makes an hwpt, or allocate one for the device. QEMU does so after EINVAL.',
    ],
  },
  'no-dirty-tracking': {
    title: 'The IOMMU does not track dirty pages.',
    rules: ['hwpt-alloc/no-dirty-tracking', 'hwpt-set-dirty-tracking/no-dirty-tracking'],
    usual: 50,
    why: 'Few IOMMUs do.',
    checks: ['IOMMU_GET_HW_INFO: out_capabilities'],
    remedies: ['Allocate the hwpt without DIRTY_TRACKING, or use the tracking of the device.'],
  },
  'dma-fault': {
    title:
      'The device accessed an IOVA that is not mapped for it, or not with that permission. No call failed.',
    rules: [],
    usual: 50,
    why: 'The IOMMU reports each such access.',
    checks: [
      'Is the address an IOVA that the program has mapped? Was it unmapped while the device was still running?',
      'Reads and writes of addresses in an RMRR come from firmware',
    ],
    remedies: [
      'Map the range before the device is started, with WRITE if it writes, and stop the device before it is unmapped.',
      'After a restart: reset the device before bus mastering is switched on.',
    ],
  },
  'bar-in-use': {
    title:
      'A driver of the host has the BAR, usually the framebuffer of the boot (efifb, simplefb, BOOTFB).',
    rules: [],
    usual: 50,
    why: 'vfio-pci cannot reserve the BAR, so that it cannot be mapped.',
    checks: ['grep -iE "BOOTFB|efifb|simplefb|vesafb" /proc/iomem'],
    remedies: [
      'Boot with initcall_blacklist=sysfb_init (or video=efifb:off on older kernels), or use another card for the console.',
      'echo efi-framebuffer.0 > /sys/bus/platform/drivers/efi-framebuffer/unbind; echo 0 > /sys/class/vtconsole/vtcon1/bind',
    ],
  },
} as const satisfies Readonly<Partial<Record<CauseId, Cause>>>;
