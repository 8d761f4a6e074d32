// SPDX-License-Identifier: MIT
// How lines are read, how their fields decide between causes, and how several lines are combined.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CauseId } from '../../../oracle/explain/cause-id.ts';
import { errnoIn } from '../../../oracle/explain/errno-text.ts';
import { explain } from '../../../oracle/explain/explain.ts';
import { fieldsIn } from '../../../oracle/explain/fields-text.ts';
import { filledIn } from '../../../oracle/explain/filled-in.ts';
import { partlyText } from '../../../oracle/explain/partly-text.ts';
import { assumedFor } from '../../../oracle/explain/releases.ts';
import { RELEASE_NAMES } from '../../../spec/terms/releases.ts';

const firstOf = (...lines: readonly string[]): CauseId | undefined =>
  explain(lines, RELEASE_NAMES).explanations[0]?.ranking.causes[0]?.id;

const explained = suite('explain');

explained(
  'a map of QEMU far up is beyond the aperture, and its fields exclude what they can',
  () => {
    const line =
      'vfio_container_dma_map(0x55da3da99aa0, 0x382800000000, 0x400000000, 0x7fb440000000) = -22 (Invalid argument)';
    const [one] = explain([line], RELEASE_NAMES).explanations;
    assert.ok(one !== undefined);
    const { clue, ranking } = one;
    assert.equal(clue.calls, ['VFIO_IOMMU_MAP_DMA', 'IOMMU_IOAS_MAP']);
    assert.is(clue.errno, 'EINVAL');
    assert.is(clue.fields.iova, 0x3828_0000_0000n);
    assert.is(clue.fields.size, 0x4_0000_0000n);
    assert.is(clue.fields.vaddr, 0x7fb4_4000_0000n);
    const [first] = ranking.causes;
    assert.is(first?.id, 'beyond-aperture');
    assert.equal(
      first?.refusals.map(({ path, rule }) => `${path} ${rule.id}`),
      [
        'type1 type1-map-dma/outside-iova-ranges',
        'compat mapping/reserved',
        'native mapping/reserved',
      ],
    );
    const excluded = ranking.excluded.map(({ rule }) => rule.id);
    assert.ok(excluded.includes('type1-map-dma/misaligned'));
    assert.ok(excluded.includes('type1-map-dma/zero-length'));
  },
);

explained('the fields of a call decide between the causes of one error', () => {
  const map = 'VFIO_IOMMU_MAP_DMA -22 vaddr=0x7f0000000000';
  assert.is(firstOf(`${map} iova=0xfee00000 size=0x1000`), 'reserved-range');
  assert.is(firstOf(`${map} iova=0xfd00000000 size=0x40000000`), 'reserved-range');
  assert.is(firstOf(`${map} iova=0x1000 size=0x800`), 'misaligned');
  assert.is(firstOf(`${map} iova=0x1000 size=0`), 'zero-size');
  assert.is(firstOf(`${map} iova=0xfffffffffffff000 size=0x2000`), 'wraps');
  assert.is(firstOf(`${map} iova=0x7f0000000000 size=0x200000`), 'beyond-aperture');
});

explained('the size and address of a range decide whether EFAULT is about memory or a BAR', () => {
  const map = 'VFIO_IOMMU_MAP_DMA EFAULT vaddr=0x7f0000000000';
  assert.is(firstOf(`${map} iova=0x100000000 size=0x180000000`), 'no-memory-behind');
  assert.is(firstOf(`${map} iova=0xfb000000 size=0x4000`), 'bar');
  assert.is(firstOf(`${map} iova=0xc000000000 size=0xb90000`), 'bar');
});

explained('lines of one failure are one explanation, and share their fields', () => {
  const { explanations } = explain(
    [
      'EAL: 0000:02:00.0 cannot add VFIO group to container, error 22 (Invalid argument)',
      'a line of another program',
      'vfio-pci 0000:02:00.0: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring the device without a 1:1 mapping. Contact your platform vendor.',
    ],
    RELEASE_NAMES,
  );
  assert.equal(
    explanations.map(({ lines }) => lines),
    [[1, 3]],
  );
  assert.is(explanations[0]?.ranking.causes[0]?.id, 'firmware-mapping');
});

explained('maps that fail for different causes are explained separately', () => {
  const map = (iova: string): string => `vfio_dma_map(0x1, ${iova}, 0x1000, 0x7f0000000000) = -22`;
  const { explanations } = explain(
    [map('0x380000000000'), map('0x380000001000'), map('0xfee00000')],
    RELEASE_NAMES,
  );
  assert.equal(
    explanations.map(({ lines }) => lines),
    [[1, 2], [3]],
  );
});

explained('what cannot be explained is reported, with what could be read', () => {
  for (const [line, said] of [
    ['nothing of it', 'Nothing of it could be read.'],
    ['EAL: error 12 (Cannot allocate memory)', 'the error ENOMEM; no call'],
    ['VFIO_IOMMU_MAP_DMA iova=0', 'the call VFIO_IOMMU_MAP_DMA; no error'],
    ['IOMMU_IOAS_MAP -5', 'no rule gives this reply'],
  ] as const) {
    const result = explain([line], RELEASE_NAMES);
    assert.equal(result.explanations, []);
    assert.ok(partlyText(result).includes(said), partlyText(result));
  }
});

explained('errors are read as numbers, names and sentences', () => {
  for (const [text, errno] of [
    ['= -12 (Cannot allocate memory)', 'ENOMEM'],
    ['VFIO_MAP_DMA: -12', 'ENOMEM'],
    ['= -1 EPERM (Operation not permitted)', 'EPERM'],
    ['IommuDmaMap(Error(22))', 'EINVAL'],
    ['Os { code: 16, kind: ResourceBusy }', 'EBUSY'],
    ['[Errno 25]', 'ENOTTY'],
    ['Bad address (os error 14)', 'EFAULT'],
    ['error 28', 'ENOSPC'],
    ['ret -12', 'ENOMEM'],
    ['map_dma iova=0x0 readonly=0 (-14)', 'EFAULT'],
    ['map_dma iova=0x0 readonly=0 (-1)', undefined],
    ['error: 500 reason: IommuDmaMap(Error(17))', 'EEXIST'],
    ['LibvirtError(Code=1, Domain=10)', undefined],
    ['vfio error: 0000:01:00.0', undefined],
    ['-device vfio-pci,host=01:00.0', undefined],
  ] as const) {
    assert.is(errnoIn(text), errno, text);
  }
});

explained('fields are read in the forms of the programs', () => {
  assert.equal(fieldsIn('iommufd=13 ioas=2 iova=0x1000 size=0x2000 addr=0x7f00 readonly=0'), {
    iova: 0x1000n,
    size: 0x2000n,
    vaddr: 0x7f00n,
  });
  assert.equal(fieldsIn("can't map guest IOVA region 0x8000..0xffff"), {
    iova: 0x8000n,
    size: 0x8000n,
  });
  assert.equal(fieldsIn('va: 0x7f00, iova: 0x1000, len: 0x2000'), {
    iova: 0x1000n,
    size: 0x2000n,
    vaddr: 0x7f00n,
  });
  assert.equal(fieldsIn('0000:65:00.0: failed to open /dev/vfio/noiommu-3'), {
    group: 'noiommu-3',
    device: '0000:65:00.0',
  });
});

explained('commands have the group and the device of the line', () => {
  const fields = fieldsIn('0000:65:00.0: failed to open /dev/vfio/12');
  assert.is(
    filledIn('fuser -v /dev/vfio/N; lspci -s DEVICE', fields),
    'fuser -v /dev/vfio/12; lspci -s 0000:65:00.0',
  );
  assert.is(filledIn('fuser -v /dev/vfio/N', {}), 'fuser -v /dev/vfio/N');
});

explained('a message of unknown wording is read by its words and its error', () => {
  for (const [line, call] of [
    ['vfio: failed to map memory at iova 0x100000: ENOMEM', 'VFIO_IOMMU_MAP_DMA'],
    ['could not set vfio iommu type: Operation not permitted', 'VFIO_SET_IOMMU'],
    ['iommufd: binding 0000:01:00.0 failed: EPERM', 'VFIO_DEVICE_BIND_IOMMUFD'],
    ["open '/dev/vfio/14': Permission denied (errno 13)", 'open of /dev/vfio/N'],
    ["ioctl(VFIO_GROUP_SET_CONTAINER) '/dev/vfio/14': errno 1", 'VFIO_GROUP_SET_CONTAINER'],
  ] as const) {
    const [one] = explain([line], RELEASE_NAMES).explanations;
    assert.ok(one?.clue.calls.includes(call), line);
  }
});

explained('a version is explained by its own rules, and one without iommufd by the first', () => {
  assert.equal(assumedFor('7.3.4')?.releases, ['7.3.4']);
  assert.equal(assumedFor('99.1')?.releases, ['99.1']);
  assert.equal(assumedFor('5.15.0-1-generic')?.releases, ['6.2']);
  assert.match(assumedFor('6.14.0-29-generic')?.note ?? '', /does not decide \d+ changes/);
  assert.is(assumedFor('next'), undefined);
});

explained.run();
