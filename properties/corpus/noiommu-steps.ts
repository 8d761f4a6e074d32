// SPDX-License-Identifier: MIT
// Calls that examples of no-IOMMU groups and of their devices share.

import type { RuleId } from '../../spec/rules.ts';
import { open } from '../helpers/operations.ts';
import { PRIVILEGED, settingOf } from '../helpers/settings.ts';
import type { Answered } from './example.ts';

export const NOIOMMU = settingOf('noiommu');
export const NOIOMMU_612 = settingOf('noiommu', PRIVILEGED, '6.12.95');

/** The only type that a no-IOMMU group's container can have. */
export const TYPE = 8n;

export const groupOf = (label: string, number: number, rule: RuleId = 'open/group'): Answered => [
  open(label, `/dev/vfio/noiommu-${number}`),
  rule,
];

export const cdev = (label: string, number: number, rule: RuleId = 'open/device'): Answered => [
  open(label, `/dev/vfio/devices/noiommu-vfio${number}`),
  rule,
];
