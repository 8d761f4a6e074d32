// SPDX-License-Identifier: MIT
// Which rules' conditions the fields of a call decide.

import { PAGE_SIZE_BYTES, U64_MAX } from '../../spec/abi/units.ts';
import type { RuleId } from '../../spec/rules.ts';
import type { Fields } from './clue.ts';

/** Whether the condition holds; undefined if the fields do not decide it. */
type Condition = (fields: Fields) => boolean | undefined;

type Name = 'iova' | 'size' | 'vaddr';

const off = (value: bigint): boolean => value % PAGE_SIZE_BYTES !== 0n;

/** One of the fields is not a multiple of the page size; false only if all are known. */
const misaligned =
  (...names: readonly Name[]): Condition =>
  (fields) => {
    const values = names.map((name) => fields[name]);
    if (values.some((value) => value !== undefined && off(value))) return true;
    return values.includes(undefined) ? undefined : false;
  };

/** Whole pages fit any alignment up to the page size, of which other values are not known to be wrong. */
const notWholePages =
  (name: Name): Condition =>
  (fields) =>
    misaligned(name)(fields) === false ? false : undefined;

const isZero: Condition = ({ size }) => (size === undefined ? undefined : size === 0n);

const passesEnd =
  (name: 'iova' | 'vaddr'): Condition =>
  (fields) => {
    const { [name]: start, size } = fields;
    if (start === undefined || size === undefined) return undefined;
    return size > 0n && start + size - 1n > U64_MAX;
  };

/** At least one holds, or none does. */
const either =
  (...conditions: readonly Condition[]): Condition =>
  (fields) => {
    const values = conditions.map((condition) => condition(fields));
    if (values.includes(true)) return true;
    return values.includes(undefined) ? undefined : false;
  };

const isGreatest: Condition = ({ iova, size }) =>
  iova === undefined || size === undefined ? undefined : iova === U64_MAX || size === U64_MAX;

const wrapsType1 = either(passesEnd('iova'), passesEnd('vaddr'));

export const CONDITIONS: Readonly<Partial<Record<RuleId, Condition>>> = {
  'type1-map-dma/zero-length': isZero,
  'type1-map-dma/misaligned': misaligned('iova', 'size', 'vaddr'),
  'type1-map-dma/wraps': wrapsType1,
  'type1-map-dma/wraps-einval': wrapsType1,
  'type1-unmap-dma/misaligned-iova': misaligned('iova'),
  'type1-unmap-dma/misaligned-length': either(isZero, misaligned('size')),
  'type1-unmap-dma/wraps': passesEnd('iova'),
  'type1-unmap-dma/wraps-einval': passesEnd('iova'),
  'alloc-pages/length-out-of-range': ({ size }) =>
    size === undefined ? undefined : size === 0n || size > U64_MAX - PAGE_SIZE_BYTES,
  'alloc-pages/address-wraps': passesEnd('vaddr'),
  'mapping/misaligned-length': either(isZero, notWholePages('size')),
  'mapping/misaligned-iova': notWholePages('iova'),
  'mapping/misaligned-offset': notWholePages('vaddr'),
  'mapping/wraps': passesEnd('iova'),
  'mapping/page-count-wraps': passesEnd('vaddr'),
  'pinning/wraps': passesEnd('vaddr'),
  'unmapping/zero-length': isZero,
  'unmapping/wraps': passesEnd('iova'),
  'ioas-map/u64-max': isGreatest,
  'ioas-unmap/u64-max': isGreatest,
};

/** Whether the rule's condition holds for the call; undefined if its fields do not decide it. */
export const holdsFor = (rule: RuleId, fields: Fields): boolean | undefined =>
  CONDITIONS[rule]?.(fields);
