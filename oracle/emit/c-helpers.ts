// SPDX-License-Identifier: MIT
// The functions of emitted C files; a file has only those that it uses.

import { HOLE_END, HOLE_START, LONGEST_MAPPING } from '../safety/permitted.ts';
import { DEVICE_HELPERS } from './c-device-helpers.ts';
import { testNumber } from './c-names.ts';
import { SIDE_HELPERS } from './c-side-helpers.ts';
import { bareC, type CText, c, cHex, cInline } from './c-text.ts';
import { OUTPUT_DESCRIPTOR } from './descriptors.ts';

/** For files of traces and files that compare two containers. */
const SHARED_HELPERS = {
  lacks: c`/* Exits: this machine lacks something that the calls need. */
static void __attribute__((noreturn)) lacks(const char *what)
{
	fprintf(out, "This machine lacks something: %s\\n", what);
	exit(3);
}
`,
  fails: c`static void __attribute__((noreturn)) fails(const char *what)
{
	fprintf(out, "%s: %s\\n", what, strerror(errno));
	exit(2);
}
`,
  map_at: c`/* Maps and populates memory. Returns 0, or -1 and errno. */
static int map_at(unsigned long address, size_t length, int protection, int flags, int fd, long offset)
{
	void *mapped = mmap((void *)address, length, PROT_READ | PROT_WRITE,
			    flags | MAP_FIXED | MAP_POPULATE, fd, offset);

	if (mapped == MAP_FAILED)
		return -1;
	return protection == (PROT_READ | PROT_WRITE) ? 0 : mprotect(mapped, length, protection);
}
`,
  take_arena: c`/* Reserves the addresses around the arena, so that a wrong address meets no memory of this process. */
static void take_arena(void)
{
	char *hole = (char *)${cHex(HOLE_START)}UL, *end = (char *)${cHex(HOLE_END + LONGEST_MAPPING)}UL;

	if (mmap(hole, end - hole, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) != hole)
		lacks("free addresses around the arena; setarch -R starts a program so that they are free");
	munmap((void *)ARENA, ARENA_LENGTH);
}
`,
  map_file: c`/* The same for a file. Only a memfd stays mapped; other files get ENODEV. */
static int map_file(unsigned long address, size_t length, int protection, int flags, int fd, long offset)
{
	if (fcntl(fd, F_GETFD) < 0 || fcntl(fd, F_GET_SEALS) >= 0)
		return map_at(address, length, protection, flags, fd, offset);
	if (mmap((void *)address, length, PROT_READ, flags | MAP_FIXED, fd, offset) == MAP_FAILED)
		return -1;
	munmap((void *)address, length);
	errno = ENODEV;
	return -1;
}
`,
  put_read_only: c`/* Writes bytes to a page that is read-only for the program. */
static void put_read_only(unsigned long address, const void *bytes, size_t length)
{
	void *page = (void *)(address & ~0xfffUL);

	mprotect(page, 0x1000, PROT_READ | PROT_WRITE);
	memcpy((void *)address, bytes, length);
	mprotect(page, 0x1000, PROT_READ);
}
`,
  memory_file: c`static int memory_file(long length)
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
`,
  status_pages: c`/* A line of /proc/self/status, in pages. */
static long status_pages(const char *name)
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
`,
  take_descriptors: c`/* Makes first the lowest free descriptor. Those below it refer to no device file. */
static void take_descriptors(int first)
{
	int spare, last;

	for (int fd = 3; fd < ${OUTPUT_DESCRIPTOR}; fd++)
		close(fd);
	spare = last = open("/", O_PATH | O_CLOEXEC);

	out = fdopen(fcntl(1, F_DUPFD_CLOEXEC, ${OUTPUT_DESCRIPTOR}), "w");
	while (last >= 0 && last < first - 1)
		last = dup(spare);
	for (int fd = 0; fd < 3; fd++)
		dup2(spare, fd);
	if (spare >= first)
		close(spare);
}
`,
  lock_memory: c`/* Locks memory before the calls. */
static void lock_memory(size_t pages)
{
	size_t length = pages * 4096;
	void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || mlock(memory, length) < 0)
		fails("mlock");
}
`,
  drop_privileges: c`/* The calls are made by a user without capabilities. */
static void drop_privileges(unsigned long locked_memory)
{
	struct rlimit limit = { .rlim_cur = locked_memory, .rlim_max = locked_memory };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		fails("RLIMIT_MEMLOCK");
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
		fails("setuid");
}
`,
} as const;

/** For files of traces only. */
const TRACE_HELPERS = {
  report: c`static void print_result(long result)
{
	if (result == A_DESCRIPTOR)
		fprintf(out, "a descriptor");
	else if (result < 0)
		fprintf(out, "-1 errno %ld (%s)", -result, strerror(-result));
	else
		fprintf(out, "%ld", result);
}

static int is_same(long result, long expected)
{
	return expected == A_DESCRIPTOR ? result >= 0 : result == expected;
}

/* Prints a call with its result, and the expected result if it differs. Returns the result, or -errno. */
static long report(const char *call, long result, long expected)
{
	if (result < 0)
		result = -errno;
	fprintf(out, "%s  ->  ", call);
	print_result(result);
	if (expected != ANYTHING && !is_same(result, expected)) {
		fprintf(out, "   expected: ");
		print_result(expected);
	}
	fprintf(out, "\\n");
	return result;
}
`,
  report_open: c`/* The same for opening a file that the other calls need. */
static long report_open(const char *call, const char *path)
{
	long result = report(call, open(path, O_RDWR | O_CLOEXEC), A_DESCRIPTOR);

	if (result < 0)
		lacks(path);
	return result;
}
`,
  same_bytes: c`/* Prints the bytes that differ. */
static int same_bytes(const char *what, const void *actual, const void *expected, size_t length)
{
	const unsigned char *one = actual, *other = expected;
	int same = 1;

	for (size_t i = 0; i < length; i++) {
		if (one[i] == other[i])
			continue;
		fprintf(out, "    byte %zu of %s is 0x%02x, expected 0x%02x\\n", i, what, one[i], other[i]);
		same = 0;
	}
	return same;
}
`,
  require_test_commands: c`static void require_test_commands(int iommufd)
{
	__u32 nothing[18] = { sizeof(nothing) };

	if (ioctl(iommufd, IOMMU_TEST_CMD, nothing) < 0 && errno == ENOTTY)
		lacks("a kernel with CONFIG_IOMMUFD_TEST");
}
`,
  restore_limit: c`/* The limit applies to the whole kernel, so it is restored. */
static void restore_limit(void)
{
	__u32 limit[18] = { sizeof(limit), ${testNumber('SET_TEMP_MEMORY_LIMIT')}, 0, 0, 65536 };
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, IOMMU_TEST_CMD, limit) < 0)
		fails("cannot restore the limit of the kernel's batch memory");
}
`,
} as const;

const FOR_TRACES = { ...SHARED_HELPERS, ...DEVICE_HELPERS, ...TRACE_HELPERS };

type Helper = keyof typeof FOR_TRACES;

const NAMES = Object.keys(FOR_TRACES) as Helper[];

/** The helpers that a helper calls. */
const NEEDS: Readonly<Partial<Record<Helper, readonly Helper[]>>> = {
  report_open: ['report', 'lacks'],
  take_arena: ['lacks'],
  map_file: ['map_at'],
  lock_memory: ['fails'],
  drop_privileges: ['fails'],
  require_test_commands: ['lacks'],
  restore_limit: ['fails'],
  device_moves: ['fails', 'lacks'],
};

/** The helpers that a trace's code uses, and those that they need, in an order that compiles. */
export const helpersIn = (text: CText): readonly CText[] => {
  const code = bareC(text);
  const used = new Set<Helper>(NAMES.filter((name) => new RegExp(`\\b${name}\\(`).test(code)));
  for (const name of [...used]) for (const needed of NEEDS[name] ?? []) used.add(needed);
  return NAMES.filter((name) => used.has(name)).map((name) => FOR_TRACES[name]);
};

/** All helpers of files that compare two containers, for their header. */
export const twoSidesHelpers: readonly CText[] = Object.values({
  ...SHARED_HELPERS,
  ...DEVICE_HELPERS,
  ...SIDE_HELPERS,
}).map(cInline);
