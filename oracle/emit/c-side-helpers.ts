// SPDX-License-Identifier: MIT
// The functions of a C file that makes the same calls on both containers and compares the results.

import { c } from './c-text.ts';

export const SIDE_HELPERS = {
  record: c`static long append(long value)
{
	if (side->count < side->room)
		side->values[side->count++] = value;
	return value;
}

/* Records the result of a call, or -errno. */
static long record(long result)
{
	return append(result < 0 ? -errno : result);
}
`,
  record_number: c`/* Records a number that a call left in memory. */
static void record_number(unsigned long number)
{
	append(number);
}
`,
  open_needed: c`/* Opens a file that the other calls need. */
static long open_needed(const char *path)
{
	long result = record(open(path, O_RDWR | O_CLOEXEC));

	if (result < 0)
		lacks(path);
	return result;
}
`,
  locate: c`/* Finds the group file of a device, which must be bound to a VFIO driver. */
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
	fprintf(out, "%s is not bound to a VFIO driver: give the name of a device that is.\\n", device);
	lacks("a device");
}
`,
  require_parameter: c`static void require_parameter(const char *path, long wanted)
{
	FILE *file = fopen(path, "re");
	long value = -1;

	if (!file || fscanf(file, "%ld", &value) != 1 || value != wanted) {
		fprintf(out, "%s must be %ld.\\n", path, wanted);
		lacks("that parameter");
	}
	fclose(file);
}
`,
  capability_field: c`/* A number in a capability of GET_INFO's reply, or the capability's offset if width is 0; 0 if there is none. */
static unsigned long capability_field(const void *info, size_t length, int id, size_t at, size_t width)
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
`,
  others: c`/* The number of bytes that differ from that one. */
static unsigned long others(const void *memory, size_t length, unsigned char byte)
{
	unsigned long count = 0;

	for (size_t i = 0; i < length; i++)
		count += ((const unsigned char *)memory)[i] != byte;
	return count;
}
`,
  compare: c`static void print_value(long value, int is_number, char *text, size_t length)
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

static int answers_as(const struct side *sides, const struct call *call, size_t index, enum release release)
{
	const struct answers *expected = &call[index].in[release];

	return is_same(sides[0].values[index], expected->type1, call[index].is_number) &&
	       is_same(sides[1].values[index], expected->iommufd, call[index].is_number);
}

/* Whether the results of both sides are those of that release. */
static int all_answer_as(const struct side *sides, const struct call *calls, size_t count, enum release release)
{
	for (size_t i = 0; i < count; i++)
		if (!answers_as(sides, calls, i, release))
			return 0;
	return 1;
}

/* Whether the running kernel is of the release's series: 7.3.4 represents all of 7.3. */
static int is_running(const char *running, enum release release)
{
	const char *name = release_names[release];

	return strncmp(running, name, strrchr(name, '.') + 1 - name) == 0;
}

/*
 * The release, of those whose bits are set, with which to compare the results. For a kernel of another series: the first
 * release that has the same results, or else the last.
 */
static enum release expected_release(const struct side *sides, const struct call *calls, size_t count,
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
static int compare(const struct side *sides, const struct call *calls, size_t count, unsigned int releases)
{
	struct utsname kernel;
	enum release release;
	int shown;

	if (uname(&kernel) < 0)
		fails("uname");
	release = expected_release(sides, calls, count, releases, kernel.release);
	fprintf(out, "Linux %s, compared with the replies of Linux %s:\\n", kernel.release, release_names[release]);
	fprintf(out, "%-20s %-20s\\n", "type1", "iommufd");
	for (size_t i = 0; i < count; i++) {
		const struct answers *expected = &calls[i].in[release];
		int is_number = calls[i].is_number;
		char text[2][64];

		print_value(sides[0].values[i], is_number, text[0], sizeof(text[0]));
		print_value(sides[1].values[i], is_number, text[1], sizeof(text[1]));
		fprintf(out, "%-20s %-20s %c %s\\n", text[0], text[1],
			expected->type1 == expected->iommufd ? ' ' : '*', calls[i].text);
		if (answers_as(sides, calls, i, release))
			continue;
		print_value(expected->type1, is_number, text[0], sizeof(text[0]));
		print_value(expected->iommufd, is_number, text[1], sizeof(text[1]));
		fprintf(out, "%-20s %-20s   expected\\n", text[0], text[1]);
	}
	shown = all_answer_as(sides, calls, count, release);
	fprintf(out, shown ? "Both sides reply as described.\\n" : "They do not reply as described.\\n");
	return shown;
}
`,
  run_both: c`/*
 * Makes the calls on both containers, each in a separate process, and compares the results with those of the releases whose
 * bits are set. Returns the exit status.
 */
static int run_both(void (*make_calls)(void), const struct call *calls, size_t count, unsigned int releases)
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
`,
} as const;
