// SPDX-License-Identifier: MIT
// The guest's first process, as a script for busybox's shell. The guest's root is the host's, read-only.

import { match } from 'ts-pattern';
import { MDEV_NAME } from '../../spec/terms/platforms.ts';
import { PORT_NAME, PRIVATE_TAG, type VmPlatform } from './qemu.ts';

export const DEVICE_MEMORY_PCI_ID = ['0x1af4', '0x1110'] as const;
/** The folder for links to the devices found. */
export const GUEST_LINKS = '/dev/iommufd-spec';
export const GUEST_PORT = `${GUEST_LINKS}/port`;
export const GUEST_DEVICE_MEMORY = `${GUEST_LINKS}/device-memory`;

/** In the private folder: that the script began, and the job's exit status. */
export const READY_FILE = 'ready';
export const STATUS_FILE = 'status';

/** A value quoted as one shell word. */
export const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

const BIND_PCI_DEVICES = `
for device in /sys/bus/pci/devices/*; do
  read vendor < $device/vendor; read model < $device/device
  case $vendor:$model in
  0x1234:0x11e8|0x8086:0x10d3)
    echo vfio-pci > $device/driver_override
    echo \${device##*/} > /sys/bus/pci/drivers_probe ;;
  esac
done`;

const MAKE_MDEV = `
echo ${MDEV_NAME} > /sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1/create`;

/** The kernel passes an unknown command line parameter to init as an environment variable. */
const SWITCH_NOIOMMU_OFF = `
[ "$noiommu_mode" != N ] || echo N > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode`;

const bindDevices = (platform: VmPlatform): string =>
  match(platform)
    .with('vtd', 'virtio', 'coherent', 'shared', () => BIND_PCI_DEVICES)
    .with('mdev', () => MAKE_MDEV)
    .with('mixed', () => `${BIND_PCI_DEVICES}${MAKE_MDEV}`)
    .with('noiommu', () => `${BIND_PCI_DEVICES}${MAKE_MDEV}${SWITCH_NOIOMMU_OFF}`)
    .with('mock', () => '')
    .exhaustive();

/** `job` is a line of shell; when it is done, the machine is switched off. */
export const initScript = (
  busybox: string,
  folder: string,
  platform: VmPlatform,
  job: string,
): string => `#!${busybox} sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
for applet in mount mkdir ln chmod chroot poweroff; do
  eval "$applet() { ${busybox} $applet \\"\\$@\\"; }"
done
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mount -t debugfs debugfs /sys/kernel/debug
mkdir -p /dev/shm /dev/pts /dev/hugepages ${GUEST_LINKS}
mount -t tmpfs tmpfs /dev/shm
mount -t devpts devpts /dev/pts
mount -t hugetlbfs hugetlbfs /dev/hugepages
echo 32 > /proc/sys/vm/nr_hugepages
mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576 ${PRIVATE_TAG} ${quoted(folder)}
: > ${quoted(`${folder}/${READY_FILE}`)}
ulimit -n 4096
for device in /sys/bus/pci/devices/*; do
  read vendor < $device/vendor; read model < $device/device
  case $vendor:$model in
  ${DEVICE_MEMORY_PCI_ID.join(':')})
    echo 1 > $device/enable
    ln -s $device/resource2 ${GUEST_DEVICE_MEMORY} ;;
  esac
done
for port in /sys/class/virtio-ports/*; do
  read name < $port/name
  case $name in
  ${PORT_NAME}) ln -s /dev/\${port##*/} ${GUEST_PORT} ;;
  esac
done
${bindDevices(platform)}
chmod 666 /dev/iommu /dev/vfio/* /dev/vfio/devices/* 2>/dev/null
chmod 755 /dev/vfio/devices 2>/dev/null
${job}
echo $? > ${quoted(`${folder}/${STATUS_FILE}`)}
poweroff -f
`;
