// SPDX-License-Identifier: MIT
// The two sides that are compared: one program, whose container is the legacy one or an iommufd.

import type { Operation, Program } from '../../model/programs/program.ts';

export const SIDES = ['legacy', 'compat'] as const;

export type Side = (typeof SIDES)[number];

/** What a program of the audit opens as its container; on the other side it is the iommufd. */
export const CONTAINER = '/dev/vfio/vfio';
const IOMMUFD = '/dev/iommu';

/** The operation as that side makes it. */
export const operationOn = (side: Side, operation: Operation): Operation =>
  side === 'compat' && operation.op === 'open' && operation.path === CONTAINER
    ? { ...operation, path: IOMMUFD }
    : operation;

export const programOn = (side: Side, program: Program): Program =>
  program.map((operation) => operationOn(side, operation));
