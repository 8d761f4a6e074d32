// SPDX-License-Identifier: MIT
// The table of causes: every refusal of the usual calls has a cause or is listed as rare, and the
// rest of the table refers to existing rules and replies.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CAUSES } from '../../../oracle/explain/all-causes.ts';
import { type CallName, pathsOf, refusalsOf } from '../../../oracle/explain/calls.ts';
import type { CauseId } from '../../../oracle/explain/cause-id.ts';
import { CONDITIONS } from '../../../oracle/explain/conditions.ts';
import type { PATHS } from '../../../oracle/explain/path.ts';
import { RARE } from '../../../oracle/explain/rare.ts';
import type { ErrnoName } from '../../../spec/abi/errno.ts';
import { isRuleId, type RuleId } from '../../../spec/rules.ts';

/** Calls that occur in people's logs. */
const USUAL: readonly CallName[] = [
  'open of /dev/vfio/N',
  'open of /dev/vfio/devices/vfioN',
  'VFIO_IOMMU_MAP_DMA',
  'VFIO_IOMMU_UNMAP_DMA',
  'VFIO_GROUP_SET_CONTAINER',
  'VFIO_SET_IOMMU',
  'VFIO_GROUP_GET_DEVICE_FD',
  'VFIO_DEVICE_BIND_IOMMUFD',
  'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
  'IOMMU_IOAS_MAP',
  'IOMMU_IOAS_UNMAP',
];

const ERRORS: ReadonlySet<ErrnoName | undefined> = new Set([
  'EPERM',
  'ENOMEM',
  'EINVAL',
  'EFAULT',
  'EBUSY',
  'ENOSPC',
]);

const usualRules = new Set<RuleId>(
  USUAL.flatMap((call) => pathsOf(call).flatMap((path) => refusalsOf(call, path)))
    .filter(({ errno }) => ERRORS.has(errno))
    .map(({ id }) => id),
);

const withCause = new Set<RuleId>(Object.values(CAUSES).flatMap(({ rules }) => rules));

const causes = suite('causes');

causes(
  'every refusal of the usual calls has a cause or is listed as rare, and none is both',
  () => {
    assert.ok(usualRules.size > 100, `${usualRules.size}`);
    const rare = new Set(RARE);
    assert.equal(
      [...usualRules].filter((id) => !withCause.has(id) && !rare.has(id)),
      [],
    );
    assert.equal(
      RARE.filter((id) => withCause.has(id)),
      [],
    );
    assert.equal(
      RARE.filter((id) => !usualRules.has(id)),
      [],
    );
  },
);

causes('cited rules exist and refuse', () => {
  for (const id of [...withCause, ...RARE, ...(Object.keys(CONDITIONS) as RuleId[])]) {
    assert.ok(isRuleId(id), id);
  }
});

causes(
  'every cause has rules that a call meets, or replies beyond the rules, or is stated by a line',
  () => {
    const stated: readonly CauseId[] = ['group-in-two-spaces', 'dma-fault', 'bar-in-use'];
    for (const [id, { rules, beyond, checks, remedies }] of Object.entries(CAUSES)) {
      assert.ok(rules.length > 0 || beyond !== undefined || stated.includes(id as CauseId), id);
      assert.ok(checks.length > 0 && remedies.length > 0, id);
    }
  },
);

causes('a rule that is on one path is not on the other', () => {
  const parts = (path: (typeof PATHS)[number]): readonly string[] =>
    USUAL.flatMap((call) => refusalsOf(call, path)).map(({ says }) => says);
  assert.equal(
    parts('compat').filter((says) => says.startsWith('Legacy container')),
    [],
  );
  assert.equal(
    parts('type1').filter((says) => says.startsWith('iommufd:')),
    [],
  );
});

causes.run();
