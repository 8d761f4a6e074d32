/*
 * CHECK_EXTENSION(DMA_CC_IOMMU) answers 1 while no device is open, whatever the IOMMU can do.
 *
 * VFIO_CHECK_EXTENSION(DMA_CC), result, in Linux 7.3.4.
 * type1: 0. DMA_CC answers 1 once a type is set and every domain enforces coherent accesses, also if
 *   there is none, and 0 otherwise. (vfio_domains_have_enforce_cache_coherency() in
 *   drivers/vfio/vfio_iommu_type1.c)
 * iommufd: 1. DMA_CC answers 1 if every domain of the compatibility IOAS enforces coherent accesses,
 *   also if there is none, and 0 otherwise. (iommufd_vfio_cc_iommu() in
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
	{ "4  VFIO_CHECK_EXTENSION(container1, DMA_CC)", 0, 0, 1 },
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

	result = opened(container);
	int container1 = result < 0 ? 0 : result;

	result = opened(group_1);
	int group1 = result < 0 ? 0 : result;

	int group_set_container_3 = container1;
	did(ioctl(group1, VFIO_GROUP_SET_CONTAINER, &group_set_container_3));

	did(ioctl(container1, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU));
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
