/*
 * mmap of the container fails with EINVAL or ENXIO instead of ENODEV.
 *
 * mmap, result, in Linux 7.3.4:
 * type1: -1 ENODEV. The file cannot be mapped. (mmap(2), munmap(2), memfd_create(2))
 * iommufd: -1 EINVAL. The file is an iommufd, and the mapping is private. What was mapped there is
 *   unmapped. (iommufd_fops_mmap() in drivers/iommu/iommufd/main.c)
 */
#include "audit.h"

static const struct call calls[] = {
	{ "1  container1 = open(container)", IN_EACH(A_DESCRIPTOR, A_DESCRIPTOR) },
	{ "2  mmap(arena+0x50000, 0x1000 (4 KiB), read, private, container1 from 0x0)", IN_EACH(-ENODEV, -EINVAL) },
};

static void make_calls(void)
{
	long result;

	setlinebuf(out);
	if (geteuid() != 0)
		lacks("permission: the calls are those of root");
	take_arena();
	if (map_at(READ_ONLY_STRUCTS, 0x1000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of read-only structs");
	if (map_at(ARRAYS, 0x4000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of arrays");
	if (map_at(DATA, 0x40000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of data");
	if (map_at(SHARED, 0x10000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of shared");
	if (map_at(READ_ONLY, 0x8000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of read-only");
	if (map_at(NO_ACCESS, 0x4000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0)
		fails("the region of no access");

	result = open_needed(container);
	int container1 = result < 0 ? 0 : result;

	record(map_file(ARENA + 0x50000, 0x1000, PROT_READ, MAP_PRIVATE, container1, 0));
}

int main(void)
{
	out = stdout;
	setlinebuf(out);
	return run_both(make_calls, calls, COUNT(calls), 1u << LINUX_7_3_4);
}
