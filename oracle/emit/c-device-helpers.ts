// SPDX-License-Identifier: MIT
// Has QEMU's edu device move memory, by its BAR on vfio-pci's descriptor of it.

import { c } from './c-text.ts';

export const DEVICE_HELPERS = {
  device_moves: c`/*
 * QEMU's edu reads memory into its buffer, or writes its buffer to memory, and reads zeros where the IOMMU refuses it.
 * Returns 0, or -1 and errno: EBADF where nothing is open, ENODEV for other devices, ENODATA where the device has not
 * read so many bytes before.
 */
static int device_moves(int fd, int to_memory, unsigned long iova, unsigned long length)
{
	const off_t configuration = 7LL << 40, start = 0x98;
	__u64 buffer = 0x40000, direction = to_memory ? 3 : 1;
	static struct { __u32 name; unsigned long filled; } devices[8];
	__u64 busy = 1;
	__u32 id = 0, name = 0;
	__u16 command = 6;
	int device = 0;
	glob_t found;

	if (fcntl(fd, F_GETFD) < 0)
		return -1;
	/* QEMU ends where the device leaves its buffer; accesses at 0xfee00000 are interrupts. */
	if (length < 1 || length > 4096 || iova > (1UL << 48) - length ||
	    (iova < 0xfef00000 && iova + length > 0xfee00000)) {
		errno = EPERM;
		fails("a transfer to or from that IOVA");
	}
	if (glob("/dev/vfio/noiommu-*", 0, NULL, &found) == 0 ||
	    glob("/dev/vfio/devices/noiommu-*", 0, NULL, &found) == 0)
		lacks("IOMMUs for all devices: without one a device would reach any memory");
	if (pread(fd, &id, 4, configuration) != 4 || id != 0x11e81234) {
		errno = ENODEV;
		return -1;
	}
	if (pread(fd, &name, 4, configuration + 0x10) != 4)
		fails("the device's address");
	while (device < 7 && devices[device].name && devices[device].name != name)
		device++;
	devices[device].name = name;
	if (to_memory && devices[device].filled < length) {
		errno = ENODATA;
		return -1;
	}
	if (!to_memory && devices[device].filled < length)
		devices[device].filled = length;
	/* Memory and bus mastering; source, destination, length, go. */
	if (pwrite(fd, &command, 2, configuration + 4) != 2 ||
	    pwrite(fd, to_memory ? &buffer : (__u64 *)&iova, 8, 0x80) != 8 ||
	    pwrite(fd, to_memory ? (__u64 *)&iova : &buffer, 8, 0x88) != 8 ||
	    pwrite(fd, &length, 8, 0x90) != 8 || pwrite(fd, &direction, 8, start) != 8)
		fails("the device's BAR");
	while (busy & 1) {
		busy = 0;
		if (pread(fd, &busy, 4, start) != 4)
			fails("the device's BAR");
		usleep(2000);
	}
	return 0;
}
`,
} as const;
