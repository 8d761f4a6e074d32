// SPDX-License-Identifier: MIT
// The two sides of a comparison: the program's container is the legacy one or an iommufd.

import type { Operation, Program } from '../../model/programs/program.ts';

export const SIDES = ['legacy', 'compat'] as const;

export type Side = (typeof SIDES)[number];

/** The path of the container in programs of the audit; on the iommufd's side it is replaced. */
export const CONTAINER = '/dev/vfio/vfio';
const IOMMUFD = '/dev/iommu';

/** The operation as on that side. */
export const operationOn = (side: Side, operation: Operation): Operation =>
  side === 'compat' && operation.op === 'open' && operation.path === CONTAINER
    ? { ...operation, path: IOMMUFD }
    : operation;

export const programOn = (side: Side, program: Program): Program =>
  program.map((operation) => operationOn(side, operation));
