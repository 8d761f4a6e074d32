/*
 * DIRTY_PAGES(GET_BITMAP) into memory that cannot be written fails with ENOTTY instead of EFAULT.
 *
 * VFIO_IOMMU_DIRTY_PAGES, result, in Linux 7.3.4.
 * type1: -1 EFAULT. GET_BITMAP: the part of the bitmap for a map cannot be read or written; those
 *   before it have been. (update_user_bitmap() in drivers/vfio/vfio_iommu_type1.c)
 * iommufd: -1 ENOTTY. The number is none of these calls: an iommufd has no DIRTY_PAGES, ENABLE or
 *   DISABLE, and no calls of groups or devices. (iommufd_vfio_ioctl() in
 *   drivers/iommu/iommufd/vfio_compat.c)
 *
 * The same calls are made on /dev/vfio/vfio and on /dev/iommu, each time in a process of its own, and
 * what they give is printed side by side. Exit status: 0 both sides answer as described, 1 they do
 * not, 2 the program cannot set itself up, 3 this machine lacks something.
 *
 * Arguments: a device of VFIO, each alone in its group (0000:00:01.0 if there are none).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/types.h>
#include <linux/vfio.h>
#if __has_include(<linux/iommufd.h>)
#include <linux/iommufd.h>
#endif

/* Where the memory of the calls lies. */
#define ARENA 0x700000000000UL
#define ARENA_LENGTH 0x600000UL
#define STRUCTS (ARENA + 0x0)
#define READ_ONLY_STRUCTS (ARENA + 0x4000)
#define DATA (ARENA + 0x10000)

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* Results that stand for many. */
#define A_DESCRIPTOR LONG_MAX

static FILE *out;

/* What each call gives on either side, and numbers that are in memory afterwards. */
static const struct {
	const char *what;
	int is_number;
	long type1, iommufd;
} expected[] = {
	{ "1  container1 = open(container)", 0, A_DESCRIPTOR, A_DESCRIPTOR },
	{ "2  group1 = open(\"/dev/vfio/1\")", 0, A_DESCRIPTOR, A_DESCRIPTOR },
	{ "3  VFIO_GROUP_SET_CONTAINER(group1, fd=container1)", 0, 0, 0 },
	{ "4  VFIO_SET_IOMMU(container1, TYPE1v2)", 0, 0, 0 },
	{ "5  VFIO_IOMMU_MAP_DMA(container1, flags=READ | WRITE, vaddr=data, iova=0x100000, size=0x4000 (16 KiB))", 0, 0, 0 },
	{ "6  VFIO_IOMMU_DIRTY_PAGES(container1, flags=START)", 0, 0, -ENOTTY },
	{ "7  VFIO_IOMMU_DIRTY_PAGES(container1, argsz=48, flags=GET_BITMAP, with [0x100000, 0x4000, 0x1000, 0x8, read-only-structs] at structs+0x8)", 0, -EFAULT, -ENOTTY },
};

#define COUNT (sizeof(expected) / sizeof(expected[0]))

struct side {
	long values[COUNT];
	unsigned long count;
};

static struct side *seen;

static const char *error_name(long error)
{
	switch (error) {
	case ENOTTY: return "ENOTTY";
	case EFAULT: return "EFAULT";
	}
	return NULL;
}

static const char *container;
static const char *device_1 = "0000:00:01.0";
static char group_1[512];

/* This machine cannot show it. */
static void __attribute__((noreturn)) lacks(const char *what)
{
	fprintf(out, "This machine lacks something: %s\n", what);
	exit(3);
}

static void __attribute__((noreturn)) fails(const char *what)
{
	fprintf(out, "%s: %s\n", what, strerror(errno));
	exit(2);
}

/* All pages are present from the start. Returns 0, or -1 and errno. */
static int map_at(unsigned long address, size_t length, int protection, int flags, int fd, long offset)
{
	void *mapped = mmap((void *)address, length, PROT_READ | PROT_WRITE,
			    flags | MAP_FIXED | MAP_POPULATE, fd, offset);

	if (mapped == MAP_FAILED)
		return -1;
	return protection == (PROT_READ | PROT_WRITE) ? 0 : mprotect(mapped, length, protection);
}

static void take_arena(void)
{
	if (mmap((void *)ARENA, ARENA_LENGTH, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) != (void *)ARENA)
		fails("the arena's addresses are taken");
	munmap((void *)ARENA, ARENA_LENGTH);
}

static long note(long value)
{
	if (seen->count < COUNT)
		seen->values[seen->count++] = value;
	return value;
}

/* Takes down what a call gave, which is the result or -errno. */
static long did(long result)
{
	return note(result < 0 ? -errno : result);
}

/* Opens a file without which the rest means nothing. */
static long opened(const char *path)
{
	long result = did(open(path, O_RDWR | O_CLOEXEC));

	if (result < 0)
		lacks(path);
	return result;
}

/* The file of the group of a device, which must be bound to a driver of VFIO. */
static void locate(const char *device, char *group, size_t length)
{
	static const char *const buses[] = { "pci", "mdev" }, *const prefixes[] = { "", "noiommu-" };

	for (int i = 0; i < 4; i++) {
		char link[256], target[256];
		ssize_t end;

		snprintf(link, sizeof(link), "/sys/bus/%s/devices/%s/iommu_group", buses[i % 2], device);
		end = readlink(link, target, sizeof(target) - 1);
		if (end < 0)
			continue;
		target[end] = 0;
		snprintf(group, length, "/dev/vfio/%s%s", prefixes[i / 2],
			 strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
		if (access(group, F_OK) == 0)
			return;
	}
	fprintf(out, "%s is no device that is bound to a driver of VFIO: name one as an argument.\n", device);
	lacks("a device");
}

static void print_value(long value, int is_number, char *text, size_t length)
{
	if (is_number)
		snprintf(text, length, "0x%lx", value);
	else if (value == A_DESCRIPTOR)
		snprintf(text, length, "a descriptor");
	else if (value < 0)
		snprintf(text, length, "-1 %s", error_name(-value) ? error_name(-value) : strerror(-value));
	else
		snprintf(text, length, "%ld", value);
}

static int is_same(long value, long expected, int is_number)
{
	return !is_number && expected == A_DESCRIPTOR ? value >= 0 : value == expected;
}

/* Prints both sides, with a star where they are not alike. Returns whether each is as expected. */
static int compare(const struct side *type1, const struct side *iommufd)
{
	int shown = 1;

	fprintf(out, "%-20s %-20s\n", "type1", "iommufd");
	for (size_t i = 0; i < COUNT; i++) {
		long one = type1->values[i], other = iommufd->values[i];
		int is_number = expected[i].is_number;
		int alike = is_same(one, expected[i].type1, is_number) &&
			    is_same(other, expected[i].iommufd, is_number);
		char text[2][64];

		print_value(one, is_number, text[0], sizeof(text[0]));
		print_value(other, is_number, text[1], sizeof(text[1]));
		fprintf(out, "%-20s %-20s %c %s\n", text[0], text[1],
			expected[i].type1 == expected[i].iommufd ? ' ' : '*', expected[i].what);
		if (alike)
			continue;
		shown = 0;
		print_value(expected[i].type1, is_number, text[0], sizeof(text[0]));
		print_value(expected[i].iommufd, is_number, text[1], sizeof(text[1]));
		fprintf(out, "%-20s %-20s   was expected\n", text[0], text[1]);
	}
	fprintf(out, shown ? "Both sides answer as described.\n" : "They do not answer as described.\n");
	return shown;
}

/* Makes the calls on both containers, each time in a process of its own. Returns the exit status. */
static int run_both(void (*calls)(void))
{
	static const char *const paths[] = { "/dev/vfio/vfio", "/dev/iommu" };
	struct side *sides = mmap(NULL, 2 * sizeof(*sides), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (sides == MAP_FAILED)
		fails("shared memory");
	for (int side = 0; side < 2; side++) {
		int status;
		pid_t child = fork();

		if (child < 0)
			fails("fork");
		if (child == 0) {
			container = paths[side];
			seen = &sides[side];
			calls();
			exit(0);
		}
		if (waitpid(child, &status, 0) < 0)
			fails("waitpid");
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
	}
	return compare(&sides[0], &sides[1]) ? 0 : 1;
}

static void calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");
	take_arena();
	if (map_at(STRUCTS, 0x2000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of structs");
	if (map_at(READ_ONLY_STRUCTS, 0x1000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of read-only structs");
	if (map_at(DATA, 0x40000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of data");

	result = opened(container);
	int container1 = result < 0 ? 0 : result;

	result = opened(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	memcpy((void *)(STRUCTS), &group_set_container_3, 4);
	did(ioctl(group1, VFIO_GROUP_SET_CONTAINER, STRUCTS));

	did(ioctl(container1, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));

	struct vfio_iommu_type1_dma_map map_dma_5 = {
		.argsz = sizeof(map_dma_5),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = DATA,
		.iova = 0x100000,
		.size = 0x4000,
	};
	memcpy((void *)(STRUCTS), &map_dma_5, 32);
	did(ioctl(container1, VFIO_IOMMU_MAP_DMA, STRUCTS));

	struct vfio_iommu_type1_dirty_bitmap dirty_pages_6 = {
		.argsz = sizeof(dirty_pages_6),
		.flags = 0x1 /* START */,
	};
	memcpy((void *)(STRUCTS), &dirty_pages_6, 8);
	did(ioctl(container1, VFIO_IOMMU_DIRTY_PAGES, STRUCTS));

	struct vfio_iommu_type1_dirty_bitmap dirty_pages_7 = {
		.argsz = 0x30,
		.flags = 0x4 /* GET_BITMAP */,
	};
	memcpy((void *)(STRUCTS), &dirty_pages_7, 8);
	__u64 words_7[] = { 0x100000, 0x4000, 0x1000, 8, READ_ONLY_STRUCTS };
	memcpy((void *)(STRUCTS + 0x8), words_7, 40);
	did(ioctl(container1, VFIO_IOMMU_DIRTY_PAGES, STRUCTS));
}

int main(int argc, char **argv)
{
	out = stdout;
	setlinebuf(out);
	if (argc > 1)
		device_1 = argv[1];
	locate(device_1, group_1, sizeof(group_1));
	return run_both(calls);
}
