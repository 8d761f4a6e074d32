// The functions that an emitted C file may need; only those that it uses are put into it.

export type Helper = keyof typeof HELPERS;

const HELPERS = {
  lacks: `/* This machine cannot show it. */
static void __attribute__((noreturn)) lacks(const char *what)
{
	fprintf(out, "This machine lacks something: %s\\n", what);
	exit(3);
}
`,
  fails: `static void __attribute__((noreturn)) fails(const char *what)
{
	fprintf(out, "%s: %s\\n", what, strerror(errno));
	exit(2);
}
`,
  tell: `static void print_result(long result)
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

/* Prints a call with its result, and with the expected one where that differs. Returns the result, or -errno. */
static long tell(const char *call, long result, long expected)
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
  tell_open: `/* The same for a file without which the rest means nothing. */
static long tell_open(const char *call, const char *path)
{
	long result = tell(call, open(path, O_RDWR | O_CLOEXEC), A_DESCRIPTOR);

	if (result < 0)
		lacks(path);
	return result;
}
`,
  same_bytes: `/* Prints the bytes that differ. */
static int same_bytes(const char *what, const void *seen, const void *expected, size_t length)
{
	const unsigned char *one = seen, *other = expected;
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
  map_at: `/* All pages are present from the start. Returns 0, or -1 and errno. */
static int map_at(unsigned long address, size_t length, int protection, int flags, int fd, long offset)
{
	void *mapped = mmap((void *)address, length, PROT_READ | PROT_WRITE,
			    flags | MAP_FIXED | MAP_POPULATE, fd, offset);

	if (mapped == MAP_FAILED)
		return -1;
	return protection == (PROT_READ | PROT_WRITE) ? 0 : mprotect(mapped, length, protection);
}
`,
  take_arena: `static void take_arena(void)
{
	if (mmap((void *)ARENA, ARENA_LENGTH, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) != (void *)ARENA)
		fails("the arena's addresses are taken");
	munmap((void *)ARENA, ARENA_LENGTH);
}
`,
  put_read_only: `/* Puts bytes into a page that the program itself may only read. */
static void put_read_only(unsigned long address, const void *bytes, size_t length)
{
	void *page = (void *)(address & ~0xfffUL);

	mprotect(page, 0x1000, PROT_READ | PROT_WRITE);
	memcpy((void *)address, bytes, length);
	mprotect(page, 0x1000, PROT_READ);
}
`,
  memory_file: `static int memory_file(long length)
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
  status_pages: `/* A line of /proc/self/status, in pages. */
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
  take_descriptors: `/* Descriptors below the first one that the calls get are no file of theirs. */
static void take_descriptors(int first)
{
	int spare = open("/", O_PATH | O_CLOEXEC);
	int last = spare;

	out = fdopen(fcntl(1, F_DUPFD_CLOEXEC, 500), "w");
	while (last >= 0 && last < first - 1)
		last = dup(spare);
	for (int fd = 0; fd < 3; fd++)
		dup2(spare, fd);
	if (spare >= first)
		close(spare);
}
`,
  drop_privileges: `/* The calls are those of a user without capabilities. */
static void drop_privileges(unsigned long locked_memory)
{
	struct rlimit limit = { .rlim_cur = locked_memory, .rlim_max = locked_memory };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		fails("RLIMIT_MEMLOCK");
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
		fails("setuid");
}
`,
  require_test_commands: `static void require_test_commands(int iommufd)
{
	__u32 nothing[18] = { sizeof(nothing) };

	if (ioctl(iommufd, IOMMU_TEST_CMD, nothing) < 0 && errno == ENOTTY)
		lacks("a kernel with CONFIG_IOMMUFD_TEST");
}
`,
  transfer: `/* A register of a PCI device, at an offset into the region. Returns 0, or -1. */
static int reg(int device, int region, __u64 offset, void *value, size_t width, int write)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = region };

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
		return -1;
	offset += info.offset;
	return (write ? pwrite(device, value, width, offset)
		      : pread(device, value, width, offset)) == (ssize_t)width ? 0 : -1;
}

static void set_reg(int device, int region, __u64 offset, __u64 value, size_t width)
{
	if (reg(device, region, offset, &value, width, 1) < 0)
		fails("a register of the device");
}

/*
 * QEMU's edu device (1234:11e8) moves bytes from an IOVA into its buffer, or back. Returns 0, or -1 and errno: ENODEV
 * where the descriptor is of another device, ENODATA where the buffer was filled with less.
 */
static long transfer(int device, int to_memory, __u64 iova, __u64 length)
{
	static struct { __u32 bar; __u64 filled; } buffers[16];
	const __u64 source = 0x80, destination = 0x88, count = 0x90, command = 0x98, buffer = 0x40000;
	const int config = VFIO_PCI_CONFIG_REGION_INDEX, bar = VFIO_PCI_BAR0_REGION_INDEX;
	__u32 id = 0, address = 0, running = 1;
	int nth = 0;

	if (reg(device, config, 0, &id, 4, 0) < 0 || id != 0x11e81234) {
		errno = ENODEV;
		return -1;
	}
	if (reg(device, config, 0x10, &address, 4, 0) < 0)
		fails("BAR 0 of the device");
	while (nth < 15 && buffers[nth].bar && buffers[nth].bar != address)
		nth++;
	buffers[nth].bar = address;
	if (to_memory && buffers[nth].filled < length) {
		errno = ENODATA;
		return -1;
	}
	set_reg(device, config, 4, 6 /* memory, bus master */, 2);
	set_reg(device, bar, source, to_memory ? buffer : iova, 8);
	set_reg(device, bar, destination, to_memory ? iova : buffer, 8);
	set_reg(device, bar, count, length, 8);
	set_reg(device, bar, command, to_memory ? 3 : 1, 8);
	for (int i = 0; i < 10000 && running & 1; i++) {
		usleep(2000);
		if (reg(device, bar, command, &running, 4, 0) < 0)
			fails("a register of the device");
	}
	if (running & 1)
		fails("the transfer does not end");
	if (!to_memory && buffers[nth].filled < length)
		buffers[nth].filled = length;
	return 0;
}
`,
  restore_limit: `/* The limit is one for the whole kernel. */
static void restore_limit(void)
{
	struct test_set_temp_memory_limit limit = {
		.size = sizeof(limit),
		.op = IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT,
		.limit = 65536,
	};
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, IOMMU_TEST_CMD, &limit) < 0)
		fails("the limit of the kernel's batch memory is not put back");
}
`,
} as const;

const NAMES = Object.keys(HELPERS) as Helper[];

/** What a helper calls. */
const NEEDS: Readonly<Partial<Record<Helper, readonly Helper[]>>> = {
  tell_open: ['lacks'],
  take_arena: ['fails'],
  drop_privileges: ['fails'],
  require_test_commands: ['lacks'],
  restore_limit: ['fails'],
  transfer: ['fails'],
};

/** The helpers whose names stand in the text, with those that they need, in an order in which they compile. */
export const helpersIn = (text: string): readonly string[] => {
  const used = new Set<Helper>(NAMES.filter((name) => new RegExp(`\\b${name}\\(`).test(text)));
  for (const name of [...used]) for (const needed of NEEDS[name] ?? []) used.add(needed);
  return NAMES.filter((name) => used.has(name)).map((name) => HELPERS[name]);
};
