// The functions of a C file that makes the same calls on both containers and compares what each answers.

import { c } from './c-text.ts';

export const SIDE_HELPERS = {
  did: c`static long note(long value)
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
`,
  look: c`/* Takes down a number that a call left in memory. */
static void look(unsigned long number)
{
	note(number);
}
`,
  opened: c`/* Opens a file without which the rest means nothing. */
static long opened(const char *path)
{
	long result = did(open(path, O_RDWR | O_CLOEXEC));

	if (result < 0)
		lacks(path);
	return result;
}
`,
  locate: c`/* The file of the group of a device, which must be bound to a driver of VFIO. */
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
	fprintf(out, "%s is no device that is bound to a driver of VFIO: name one as an argument.\\n", device);
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
  told: c`/* A number in a capability of GET_INFO's answer, or where the capability stands (at 0); 0 where there is none. */
static unsigned long told(const void *info, size_t length, int id, size_t at, size_t width)
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
  others: c`/* How many bytes are not that one. */
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

/* Prints both sides, with a star where they are not alike. Returns whether each is as expected. */
static int compare(const struct side *type1, const struct side *iommufd)
{
	int shown = 1;

	fprintf(out, "%-20s %-20s\\n", "type1", "iommufd");
	for (size_t i = 0; i < COUNT; i++) {
		long one = type1->values[i], other = iommufd->values[i];
		int is_number = expected[i].is_number;
		int alike = is_same(one, expected[i].type1, is_number) &&
			    is_same(other, expected[i].iommufd, is_number);
		char text[2][64];

		print_value(one, is_number, text[0], sizeof(text[0]));
		print_value(other, is_number, text[1], sizeof(text[1]));
		fprintf(out, "%-20s %-20s %c %s\\n", text[0], text[1],
			expected[i].type1 == expected[i].iommufd ? ' ' : '*', expected[i].what);
		if (alike)
			continue;
		shown = 0;
		print_value(expected[i].type1, is_number, text[0], sizeof(text[0]));
		print_value(expected[i].iommufd, is_number, text[1], sizeof(text[1]));
		fprintf(out, "%-20s %-20s   was expected\\n", text[0], text[1]);
	}
	fprintf(out, shown ? "Both sides answer as described.\\n" : "They do not answer as described.\\n");
	return shown;
}
`,
  run_both: c`/* Makes the calls on both containers, each time in a process of its own. Returns the exit status. */
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
`,
} as const;
