// SPDX-License-Identifier: MIT
// What lines are read as, and how their fields decide.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CauseId } from '../../../oracle/explain/cause-id.ts';
import { explain } from '../../../oracle/explain/explain.ts';
import { RELEASE_NAMES } from '../../../spec/terms/releases.ts';

const firstOf = (line: string): CauseId | undefined =>
  explain([line], RELEASE_NAMES).explanations[0]?.ranking.causes[0]?.id;

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
  assert.is(firstOf(`${map} iova=0x7f0000000000 size=0x200000`), 'beyond-aperture');
});

explained.run();
