// SPDX-License-Identifier: MIT
// Recordings of real programs on real kernels have no violation: those in the fixtures, and those
// next to the checkout.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BESIDE, FIXTURES, isCovered, judgeFiles, recordingsIn } from '../../harness/recordings.ts';

/** The part of a name that identifies the program: "selftest.iommufd_ioas", "qemu.compat". */
const programOf = (name: string): string =>
  name
    .replace(/^[\d.]+-/, '')
    .split('.')
    .slice(0, 2)
    .join('.');

const grouped = (names: readonly string[]): ReadonlyMap<string, readonly string[]> => {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const program = programOf(name);
    groups.set(program, [...(groups.get(program) ?? []), name]);
  }
  return groups;
};

// The unspecified calls of the recordings on the compatibility path and of the covered selftests.
const NOT_SPECIFIED = [
  /^IOMMU_(?:GET_HW_INFO|HWPT_INVALIDATE|HWPT_GET_DIRTY_BITMAP|HWPT_SET_DIRTY_TRACKING|FAULT_QUEUE_ALLOC|VIOMMU_ALLOC|VDEVICE_ALLOC|VEVENTQ_ALLOC|HW_QUEUE_ALLOC|IOAS_NOIOMMU_GET_PA)$/,
  /^HWPT_ALLOC (?:of a nested hwpt|with flags or data for the driver)$/,
  /^IOMMU_TEST_CMD (?:DIRTY|MD_CHECK_IOTLB|TRIGGER_IOPF|TRIGGER_VEVENT|PASID_\w+|DMABUF_\w+)$/,
  /^MOCK_DOMAIN_REPLACE to an object that is not specified$/,
  /^DEV_CHECK_CACHE of caches that are not known$/,
  /^an ioctl on (?:a VFIO device|\/|IOMMU_)/,
  /^open of \//,
];

const unexpected = (what: Iterable<string>): readonly string[] =>
  [...what].filter((one) => !NOT_SPECIFIED.some((known) => known.test(one)));

/** At most one call in a hundred may be unknown. */
const UNKNOWN_AT_MOST = 0.01;

const recordings = suite('recordings');

for (const [program, names] of grouped(recordingsIn(FIXTURES))) {
  recordings(`${program}: ${names.length} recordings have no violation`, async () => {
    const { violations, unspecified } = await judgeFiles(FIXTURES, names);
    assert.equal(violations, []);
    if (names.some(isCovered)) assert.equal(unexpected(unspecified), []);
  });
}

recordings('at most one covered call in a hundred is unknown', async () => {
  const { calls, counts } = await judgeFiles(FIXTURES, recordingsIn(FIXTURES).filter(isCovered));
  assert.ok(calls > 4000, `${calls} calls`);
  assert.ok(counts.unknown <= calls * UNKNOWN_AT_MOST, `${counts.unknown} of ${calls} are unknown`);
});

const beside = recordingsIn(BESIDE);

const whereTheyLie = beside.length > 0 ? recordings : recordings.skip;

whereTheyLie(
  'covered recordings next to the checkout have no violation and are rarely unknown',
  async () => {
    const covered = await judgeFiles(BESIDE, beside.filter(isCovered));
    assert.equal(covered.violations, []);
    assert.equal(unexpected(covered.unspecified), []);
    assert.ok(covered.counts.unknown <= covered.calls * UNKNOWN_AT_MOST);
  },
);

recordings.run();
