// SPDX-License-Identifier: MIT
// Causes in groups and containers.

import type { Cause } from '../cause.ts';
import type { CauseId } from '../cause-id.ts';

const LIST_GROUP =
  'ls -l /sys/kernel/iommu_groups/N/devices/*/driver   (each link must end in vfio-pci, or be missing)';

export const groupCauses = {
  'group-in-use': {
    title: 'The group is not viable: a driver of the kernel still has a device of the group.',
    rules: ['group-set-container/group-in-use', 'binding/group-in-use'],
    usual: 60,
    why: 'It is the commonest cause of EPERM here: functions of one card, and devices behind one bridge, share a group.',
    checks: [LIST_GROUP, 'dpdk-devbind.py --status, driverctl list-overrides, or lspci -k'],
    remedies: [
      'Bind every device of the group to vfio-pci, or to no driver (bridges may keep pcieport): the audio, USB and serial functions of a graphics card, the other ports of a network card.',
      'If unrelated devices share the group: another slot, or ACS in the firmware. pcie_acs_override makes groups smaller without isolation.',
    ],
  },
  'group-owned': {
    title:
      'The group has another owner: a device of it is bound to an iommufd, or the group file is open.',
    rules: [
      'group-set-container/group-owned',
      'binding/group-owned',
      'open/device-bound',
      'device-bind-iommufd/group-open',
    ],
    usual: 25,
    why: 'A group is used through its file or through the cdevs of its devices, by one iommufd.',
    checks: ['fuser -v /dev/vfio/N /dev/vfio/devices/*   (who has the files open?)'],
    remedies: [
      'End the other program; give all devices of the group to one program and one iommufd.',
    ],
  },
  'group-open': {
    title: 'The group file is open already, in another program or in this one.',
    rules: ['open/group-open'],
    usual: 70,
    why: 'A group file can be open once.',
    checks: [
      'fuser -v /dev/vfio/N, lsof /dev/vfio/N: a guest or a DPDK process that still runs, also in another container',
      'Does the program open the group twice, as after a failed start?',
    ],
    remedies: [
      'End the other program, or pass the descriptor (DPDK secondary processes get it from the primary one).',
    ],
  },
  'group-has-container': {
    title: 'The group is in a container already.',
    rules: ['group-set-container/has-container'],
    usual: 35,
    why: 'SET_CONTAINER is refused until UNSET_CONTAINER.',
    checks: ['strace -f -e ioctl: does the program set the container twice?'],
    remedies: ['Set it once for each group; UNSET_CONTAINER first to change it.'],
  },
  'no-group-file': {
    title: 'There is no such file: no device of the group is bound to a VFIO driver.',
    rules: ['open/no-group', 'open/no-device'],
    usual: 60,
    why: 'The file appears when a device of the group is bound to vfio-pci, and goes with it.',
    checks: [
      'lspci -nnk -s DEVICE: "Kernel driver in use: vfio-pci"?',
      'ls /dev/vfio   (a device without an IOMMU is noiommu-N); in a container: is the file passed in?',
      'For a cdev: CONFIG_VFIO_DEVICE_CDEV, and ls /sys/bus/pci/devices/DEVICE/vfio-dev',
    ],
    remedies: [
      'driverctl set-override DEVICE vfio-pci, or dpdk-devbind.py -b vfio-pci DEVICE. Load vfio-pci first.',
      'Start the container when the device is bound, and pass /dev/vfio/N and /dev/vfio/vfio.',
    ],
  },
  'group-in-two-spaces': {
    title:
      'Two devices of one group are in different address spaces of the guest, which one container cannot serve.',
    rules: [],
    usual: 50,
    why: 'A virtual IOMMU gives each device its own address space, and a group has one.',
    checks: [
      LIST_GROUP,
      'Has the guest a virtual IOMMU (intel-iommu, smmuv3)? Are both devices behind one bridge?',
    ],
    remedies: [
      'Put the devices of the group behind one conventional PCI bridge (pcie-pci-bridge), or do without the virtual IOMMU.',
    ],
  },
  'no-iommu-privilege': {
    title: 'The device has no IOMMU (no-IOMMU mode), and the program lacks CAP_SYS_RAWIO.',
    rules: [
      'open/group-not-privileged',
      'open/device-not-privileged',
      'type1-set-iommu/no-iommu-not-privileged',
      'compat-set-iommu/no-iommu-not-privileged',
      'group-set-container/no-iommu-not-privileged',
      'group-get-device-fd/type1-no-iommu-not-privileged',
      'group-get-device-fd/no-iommu-not-privileged',
    ],
    usual: 15,
    why: 'Only no-IOMMU groups, /dev/vfio/noiommu-N, ask for the capability.',
    evidence: [
      {
        when: ({ hints }) => hints.has('no-iommu'),
        weight: 60,
        why: 'The line is about a no-IOMMU group.',
      },
    ],
    checks: ['Is the group noiommu-N? grep CapEff /proc/PID/status'],
    remedies: ['Run with CAP_SYS_RAWIO, or switch the IOMMU on.'],
  },
  'no-iommu-mixed': {
    title:
      'Devices without an IOMMU and devices with one do not go together, and no-IOMMU mode may be off.',
    rules: [
      'group-set-container/mixes-no-iommu',
      'group-set-container/no-iommu-with-ioas',
      'group-set-container/serves-no-iommu',
      'group-get-device-fd/no-iommu-with-ioas',
      'type1-set-iommu/no-iommu-only',
    ],
    usual: 15,
    why: 'A container serves groups of one kind.',
    evidence: [
      {
        when: ({ hints }) => hints.has('no-iommu'),
        weight: 50,
        why: 'The line is about a no-IOMMU group.',
      },
    ],
    checks: ['ls /dev/vfio; cat /sys/module/vfio/parameters/enable_unsafe_noiommu_mode'],
    remedies: [
      'Switch the IOMMU on (firmware, intel_iommu=on), or use no-IOMMU mode for all devices: echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode, type VFIO_NOIOMMU_IOMMU.',
    ],
  },
  'no-iommu-maps-nothing': {
    title:
      'The container is in no-IOMMU mode, which has no maps: the device reaches physical memory.',
    rules: ['type1-dispatch/no-iommu'],
    usual: 45,
    why: 'Its type, VFIO_NOIOMMU_IOMMU, has no calls.',
    evidence: [
      {
        when: ({ hints }) => hints.has('no-iommu'),
        weight: 50,
        why: 'The line is about a no-IOMMU group.',
      },
    ],
    checks: ['ls /dev/vfio: is the group noiommu-N? Which type does SET_IOMMU get?'],
    remedies: [
      'Use physical addresses (DPDK: --iova-mode=pa) and map nothing, or switch the IOMMU on.',
    ],
  },
  'type-unknown': {
    title:
      'The container does not support the type: vfio_iommu_type1 is not loaded or not built, or the type is of another machine.',
    rules: [
      'type1-set-iommu/unknown-type',
      'type1-set-iommu/not-a-type',
      'compat-set-iommu/unknown-type',
    ],
    usual: 50,
    why: 'Types come from modules that are loaded, and CHECK_EXTENSION lists them.',
    evidence: [
      {
        when: ({ errno, program }) => errno === 'EINVAL' && program !== undefined,
        weight: -35,
        why: 'The program asks which types there are.',
      },
    ],
    checks: [
      'lsmod | grep vfio_iommu_type1; grep -E "VFIO_IOMMU_TYPE1|IOMMUFD" /boot/config-$(uname -r)',
    ],
    remedies: [
      'modprobe vfio_iommu_type1; in a container or chroot load it outside. Use TYPE1v2 or TYPE1.',
    ],
  },
  'wrong-order': {
    title:
      'The steps are in another order than the calls need: group, container, type, device; or cdev, bind, attach.',
    rules: [
      'type1-set-iommu/no-group',
      'type1-set-iommu/type-set',
      'large-pages/filled',
      'group-get-device-fd/no-container',
      'group-get-device-fd/no-type',
      'group-unset-container/no-container',
      'device-dispatch/not-bound',
      'device-bind-iommufd/of-group',
      'device-bind-iommufd/bound',
      'device-bind-iommufd/open-elsewhere',
    ],
    usual: 25,
    why: 'Each step refuses with EINVAL if the one before it is missing, or was done twice.',
    evidence: [
      {
        when: ({ program }) => program !== undefined && program !== 'strace',
        weight: -15,
        why: 'The program makes its steps in the right order on other machines.',
      },
    ],
    checks: ['strace -f -e openat,ioctl: are the results of the steps before 0?'],
    remedies: ['Follow the order of Documentation/driver-api/vfio.rst.'],
  },
} as const satisfies Readonly<Partial<Record<CauseId, Cause>>>;
