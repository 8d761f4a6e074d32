/*
 * The header of the files in this folder. Each file makes the same calls on /dev/vfio/vfio and on /dev/iommu, in separate
 * processes, and prints the results side by side. To compile and run one:
 *
 *     cc NAME.c -o NAME && ./NAME
 *
 * Its head comment has the replies of each side and the devices that it takes as arguments. It expects the replies of the
 * running kernel's series. On a kernel of another series the results may be those of any release that it describes.
 *
 * Exit status: 0 both sides reply as described, 1 they do not, 2 the setup fails, 3 this machine lacks something (a device,
 * permission, a parameter).
 */
#ifndef AUDIT_H
#define AUDIT_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
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

#include <sys/utsname.h>

/* Where the memory of the calls lies. */
#define ARENA 0x700000000000UL
#define ARENA_LENGTH 0x600000UL
#define STRUCTS (ARENA + 0x0)
#define READ_ONLY_STRUCTS (ARENA + 0x4000)
#define ARRAYS (ARENA + 0x6000)
#define DATA (ARENA + 0x10000)
#define SHARED (ARENA + 0x60000)
#define READ_ONLY (ARENA + 0x80000)
#define NO_ACCESS (ARENA + 0x90000)

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* Results that stand for many. */
#define A_DESCRIPTOR LONG_MAX

static FILE *out;

/* The releases that the files describe. */
enum release { LINUX_6_12_95, LINUX_7_3_4, RELEASES };

static const char *const release_names[RELEASES] = { "6.12.95", "7.3.4" };

/* The results of a call, or a number in memory after it. */
struct answers {
	long type1, iommufd;
};

struct call {
	const char *text;
	struct answers in[RELEASES];
	int is_number;
};

#define ALL_RELEASES ((1u << RELEASES) - 1)
#define IN_EACH(type1, iommufd) { [0 ... RELEASES - 1] = { type1, iommufd } }
#define COUNT(calls) (sizeof(calls) / sizeof((calls)[0]))

/* The results of one side, in order. */
struct side {
	long *values;
	unsigned long count, room;
};

static struct side *side;
static const char *container;

static inline const char *error_name(long error)
{
	switch (error) {
	case EPERM: return "EPERM";
	case ENOENT: return "ENOENT";
	case EIO: return "EIO";
	case ENXIO: return "ENXIO";
	case E2BIG: return "E2BIG";
	case EBADF: return "EBADF";
	case ENOMEM: return "ENOMEM";
	case EACCES: return "EACCES";
	case EFAULT: return "EFAULT";
	case EBUSY: return "EBUSY";
	case EEXIST: return "EEXIST";
	case ENODEV: return "ENODEV";
	case EINVAL: return "EINVAL";
	case EMFILE: return "EMFILE";
	case ENOTTY: return "ENOTTY";
	case ENOSPC: return "ENOSPC";
	case ERANGE: return "ERANGE";
	case EDEADLOCK: return "EDEADLOCK";
	case EBADE: return "EBADE";
	case ENODATA: return "ENODATA";
	case EOVERFLOW: return "EOVERFLOW";
	case EBADFD: return "EBADFD";
	case EMSGSIZE: return "EMSGSIZE";
	case EOPNOTSUPP: return "EOPNOTSUPP";
	case EADDRINUSE: return "EADDRINUSE";
	}
	return NULL;
}

/* Exits: this machine lacks something that the calls need. */
static inline void __attribute__((noreturn)) lacks(const char *what)
{
	fprintf(out, "This machine lacks something: %s\n", what);
	exit(3);
}

static inline void __attribute__((noreturn)) fails(const char *what)
{
	fprintf(out, "%s: %s\n", what, strerror(errno));
	exit(2);
}

/* Maps and populates memory. Returns 0, or -1 and errno. */
static inline int map_at(unsigned long address, size_t length, int protection, int flags, int fd, long offset)
{
	void *mapped = mmap((void *)address, length, PROT_READ | PROT_WRITE,
			    flags | MAP_FIXED | MAP_POPULATE, fd, offset);

	if (mapped == MAP_FAILED)
		return -1;
	return protection == (PROT_READ | PROT_WRITE) ? 0 : mprotect(mapped, length, protection);
}

/* Reserves the addresses around the arena, so that a wrong address meets no memory of this process. */
static inline void take_arena(void)
{
	char *hole = (char *)0x600000000000UL, *end = (char *)0x790000000000UL;

	if (mmap(hole, end - hole, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) != hole)
		lacks("free addresses around the arena; setarch -R starts a program so that they are free");
	munmap((void *)ARENA, ARENA_LENGTH);
}

/* The same for a file. Only a memfd stays mapped; other files get ENODEV. */
static inline int map_file(unsigned long address, size_t length, int protection, int flags, int fd, long offset)
{
	if (fcntl(fd, F_GETFD) < 0 || fcntl(fd, F_GET_SEALS) >= 0)
		return map_at(address, length, protection, flags, fd, offset);
	if (mmap((void *)address, length, PROT_READ, flags | MAP_FIXED, fd, offset) == MAP_FAILED)
		return -1;
	munmap((void *)address, length);
	errno = ENODEV;
	return -1;
}

/* Writes bytes to a page that is read-only for the program. */
static inline void put_read_only(unsigned long address, const void *bytes, size_t length)
{
	void *page = (void *)(address & ~0xfffUL);

	mprotect(page, 0x1000, PROT_READ | PROT_WRITE);
	memcpy((void *)address, bytes, length);
	mprotect(page, 0x1000, PROT_READ);
}

static inline int memory_file(long length)
{
	int fd = memfd_create("program", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, length) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* A line of /proc/self/status, in pages. */
static inline long status_pages(const char *name)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	long kibibytes = -1;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			kibibytes = atol(strchr(line, ':') + 1);
	if (file)
		fclose(file);
	return kibibytes < 0 ? -1 : kibibytes / 4;
}

/* Makes first the lowest free descriptor. Those below it refer to no device file. */
static inline void take_descriptors(int first)
{
	int spare, last;

	for (int fd = 3; fd < 500; fd++)
		close(fd);
	spare = last = open("/", O_PATH | O_CLOEXEC);

	out = fdopen(fcntl(1, F_DUPFD_CLOEXEC, 500), "w");
	while (last >= 0 && last < first - 1)
		last = dup(spare);
	for (int fd = 0; fd < 3; fd++)
		dup2(spare, fd);
	if (spare >= first)
		close(spare);
}

/* Locks memory before the calls. */
static inline void lock_memory(size_t pages)
{
	size_t length = pages * 4096;
	void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || mlock(memory, length) < 0)
		fails("mlock");
}

/* The calls are made by a user without capabilities. */
static inline void drop_privileges(unsigned long locked_memory)
{
	struct rlimit limit = { .rlim_cur = locked_memory, .rlim_max = locked_memory };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		fails("RLIMIT_MEMLOCK");
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
		fails("setuid");
}

/*
 * QEMU's edu reads memory into its buffer, or writes its buffer to memory, and reads zeros where the IOMMU refuses it.
 * Returns 0, or -1 and errno: EBADF where nothing is open, ENODEV for other devices, ENODATA where the device has not
 * read so many bytes before.
 */
static inline int device_moves(int fd, int to_memory, unsigned long iova, unsigned long length)
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

static inline long append(long value)
{
	if (side->count < side->room)
		side->values[side->count++] = value;
	return value;
}

/* Records the result of a call, or -errno. */
static inline long record(long result)
{
	return append(result < 0 ? -errno : result);
}

/* Records a number that a call left in memory. */
static inline void record_number(unsigned long number)
{
	append(number);
}

/* Opens a file that the other calls need. */
static inline long open_needed(const char *path)
{
	long result = record(open(path, O_RDWR | O_CLOEXEC));

	if (result < 0)
		lacks(path);
	return result;
}

/* Finds the group file of a device, which must be bound to a VFIO driver. */
static inline void locate(const char *device, char *group, size_t length)
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
	fprintf(out, "%s is not bound to a VFIO driver: give the name of a device that is.\n", device);
	lacks("a device");
}

static inline void require_parameter(const char *path, long wanted)
{
	FILE *file = fopen(path, "re");
	long value = -1;

	if (!file || fscanf(file, "%ld", &value) != 1 || value != wanted) {
		fprintf(out, "%s must be %ld.\n", path, wanted);
		lacks("that parameter");
	}
	fclose(file);
}

/* A number in a capability of GET_INFO's reply, or the capability's offset if width is 0; 0 if there is none. */
static inline unsigned long capability_field(const void *info, size_t length, int id, size_t at, size_t width)
{
	const unsigned char *bytes = info;
	__u32 next;
	__u64 number = 0;

	memcpy(&next, bytes + 16, 4);
	while (next != 0 && next + 8 <= length) {
		if ((bytes[next] | bytes[next + 1] << 8) == id) {
			if (width == 0)
				return next;
			memcpy(&number, bytes + next + at, width);
			return number;
		}
		memcpy(&next, bytes + next + 4, 4);
	}
	return 0;
}

/* The number of bytes that differ from that one. */
static inline unsigned long others(const void *memory, size_t length, unsigned char byte)
{
	unsigned long count = 0;

	for (size_t i = 0; i < length; i++)
		count += ((const unsigned char *)memory)[i] != byte;
	return count;
}

static inline void print_value(long value, int is_number, char *text, size_t length)
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

static inline int is_same(long value, long expected, int is_number)
{
	return !is_number && expected == A_DESCRIPTOR ? value >= 0 : value == expected;
}

static inline int answers_as(const struct side *sides, const struct call *call, size_t index, enum release release)
{
	const struct answers *expected = &call[index].in[release];

	return is_same(sides[0].values[index], expected->type1, call[index].is_number) &&
	       is_same(sides[1].values[index], expected->iommufd, call[index].is_number);
}

/* Whether the results of both sides are those of that release. */
static inline int all_answer_as(const struct side *sides, const struct call *calls, size_t count, enum release release)
{
	for (size_t i = 0; i < count; i++)
		if (!answers_as(sides, calls, i, release))
			return 0;
	return 1;
}

/* Whether the running kernel is of the release's series: 7.3.4 represents all of 7.3. */
static inline int is_running(const char *running, enum release release)
{
	const char *name = release_names[release];

	return strncmp(running, name, strrchr(name, '.') + 1 - name) == 0;
}

/*
 * The release, of those whose bits are set, with which to compare the results. For a kernel of another series: the first
 * release that has the same results, or else the last.
 */
static inline enum release expected_release(const struct side *sides, const struct call *calls, size_t count,
				     unsigned int releases, const char *running)
{
	enum release last = 0;

	for (enum release release = 0; release < RELEASES; release++)
		if (releases & (1u << release) && is_running(running, release))
			return release;
	for (enum release release = 0; release < RELEASES; release++) {
		if (!(releases & (1u << release)))
			continue;
		if (all_answer_as(sides, calls, count, release))
			return release;
		last = release;
	}
	return last;
}

/* Prints both sides, with a star where they differ. Returns whether both have the expected results. */
static inline int compare(const struct side *sides, const struct call *calls, size_t count, unsigned int releases)
{
	struct utsname kernel;
	enum release release;
	int shown;

	if (uname(&kernel) < 0)
		fails("uname");
	release = expected_release(sides, calls, count, releases, kernel.release);
	fprintf(out, "Linux %s, compared with the replies of Linux %s:\n", kernel.release, release_names[release]);
	fprintf(out, "%-20s %-20s\n", "type1", "iommufd");
	for (size_t i = 0; i < count; i++) {
		const struct answers *expected = &calls[i].in[release];
		int is_number = calls[i].is_number;
		char text[2][64];

		print_value(sides[0].values[i], is_number, text[0], sizeof(text[0]));
		print_value(sides[1].values[i], is_number, text[1], sizeof(text[1]));
		fprintf(out, "%-20s %-20s %c %s\n", text[0], text[1],
			expected->type1 == expected->iommufd ? ' ' : '*', calls[i].text);
		if (answers_as(sides, calls, i, release))
			continue;
		print_value(expected->type1, is_number, text[0], sizeof(text[0]));
		print_value(expected->iommufd, is_number, text[1], sizeof(text[1]));
		fprintf(out, "%-20s %-20s   expected\n", text[0], text[1]);
	}
	shown = all_answer_as(sides, calls, count, release);
	fprintf(out, shown ? "Both sides reply as described.\n" : "They do not reply as described.\n");
	return shown;
}

/*
 * Makes the calls on both containers, each in a separate process, and compares the results with those of the releases whose
 * bits are set. Returns the exit status.
 */
static inline int run_both(void (*make_calls)(void), const struct call *calls, size_t count, unsigned int releases)
{
	static const char *const paths[] = { "/dev/vfio/vfio", "/dev/iommu" };
	size_t length = 2 * (sizeof(struct side) + count * sizeof(long));
	struct side *sides = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (sides == MAP_FAILED)
		fails("shared memory");
	for (int i = 0; i < 2; i++) {
		int status;
		pid_t child;

		sides[i].room = count;
		sides[i].values = (long *)&sides[2] + i * count;
		child = fork();
		if (child < 0)
			fails("fork");
		if (child == 0) {
			container = paths[i];
			side = &sides[i];
			make_calls();
			exit(0);
		}
		if (waitpid(child, &status, 0) < 0)
			fails("waitpid");
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
	}
	return compare(sides, calls, count, releases) ? 0 : 1;
}

#endif
