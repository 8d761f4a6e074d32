// SPDX-License-Identifier: MIT
// An example is a program written by hand, with the rule that answers each of its calls.

import type { Operation } from '../../model/programs/program.ts';
import { type PartId, type RuleId, type RuleNameIn, ruleIn } from '../../spec/rules.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { native, open, out, test, vfioPlain } from '../helpers/operations.ts';
import { settingOf } from '../helpers/settings.ts';

/** A call, and the id of the rule that answers it. */
export type Answered = readonly [operation: Operation, rule: RuleId];

/** A rule of the part by its name there, or any other by its id. */
export type Cited<Id extends PartId> = RuleNameIn<Id> | RuleId;

export const cited = <Id extends PartId>(part: Id, rule: Cited<Id>): RuleId =>
  rule.includes('/') ? (rule as RuleId) : ruleIn(part, rule as RuleNameIn<Id>);

export type Example = {
  /** What it shows, in plain words. */
  readonly says: string;
  readonly setting: Setting;
  readonly steps: readonly Answered[];
};

export const MOCK = settingOf('mock');
export const VTD = settingOf('vtd');
export const MIXED = settingOf('mixed');

export const example = (
  says: string,
  steps: readonly (Answered | readonly Answered[])[],
  setting: Setting = MOCK,
): Example => ({
  says,
  setting,
  steps: steps.flatMap((step) =>
    Array.isArray(step[0]) ? (step as readonly Answered[]) : [step as Answered],
  ),
});

export const PAGE = 4096n;
/** An IOVA that mock domains translate. */
export const IOVA = 0x100_0000n;

export const OPENED: readonly Answered[] = [[open('iommufd'), 'open/iommufd']];

export const ioasId = out('ioas', 'out_ioas_id');

/** An iommufd with an IOAS. */
export const IOAS: readonly Answered[] = [
  ...OPENED,
  [native('ioas', 'iommufd', 'IOMMU_IOAS_ALLOC', {}), 'ioas-alloc/allocates'],
];

/** An iommufd whose VFIO calls have an IOAS. */
export const COMPAT: readonly Answered[] = [
  ...IOAS,
  [native('set', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 1n, ioas_id: ioasId }), 'vfio-ioas/sets'],
];

/** The same with type1 v1. */
export const VERSION1: readonly Answered[] = [
  ...COMPAT,
  [vfioPlain('type', 'iommufd', 'VFIO_SET_IOMMU', 1n), 'compat-set-iommu/v1'],
];

/** A mock device attached to the IOAS. */
export const ATTACHED: Answered = [
  test('mock', 'iommufd', 'MOCK_DOMAIN', { id: ioasId }),
  'test-mock-domain/creates',
];

/** An access of the IOAS that may pin. */
export const ACCESS: Answered = [
  test('access', 'iommufd', 'CREATE_ACCESS', { id: ioasId, flags: 1n }),
  'test-create-access/creates',
];

export const accessFd = out('access', 'out_access_fd');
