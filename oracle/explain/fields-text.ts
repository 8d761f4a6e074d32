// SPDX-License-Identifier: MIT
// The fields of a call that a text has.

import type { Fields } from './clue.ts';

/** Hexadecimal digits without 0x are of six at least, so that no word is one. */
const NUMBER = '(0x[0-9a-fA-F]+|[0-9a-fA-F]{6,}|\\d+)';

const numberFrom = (text: string): bigint => BigInt(/^\d+$|^0x/.test(text) ? text : `0x${text}`);

/** vfio_dma_map(container, iova, size, vaddr) and the unmap of the same form. */
const QEMU_MAP = new RegExp(
  `dma_(?:un)?map(?:_bitmap)? *\\([^,]*, *${NUMBER}, *${NUMBER}(?:, *(0x[0-9a-fA-F]+|\\(nil\\)))?`,
);

/** "IOVA region 0x8000..0xffff", both inclusive. */
const REGION = /IOVA region (0x[0-9a-fA-F]+)\.\.(0x[0-9a-fA-F]+)/;

const field = (text: string, ...names: readonly string[]): bigint | undefined => {
  const found = new RegExp(`\\b(?:${names.join('|')})\\b\\s*[:=]?\\s*${NUMBER}\\b`, 'i').exec(text);
  return found?.[1] === undefined ? undefined : numberFrom(found[1]);
};

const rangeIn = (text: string): Pick<Fields, 'iova' | 'size' | 'vaddr'> => {
  const [map, mapIova, mapSize, vaddr] = QEMU_MAP.exec(text) ?? [];
  if (map !== undefined && mapIova !== undefined && mapSize !== undefined) {
    return {
      iova: numberFrom(mapIova),
      size: numberFrom(mapSize),
      ...(vaddr === undefined ? {} : { vaddr: vaddr === '(nil)' ? 0n : BigInt(vaddr) }),
    };
  }
  const [, start, last] = REGION.exec(text) ?? [];
  if (start !== undefined && last !== undefined && BigInt(last) >= BigInt(start)) {
    return { iova: BigInt(start), size: BigInt(last) - BigInt(start) + 1n };
  }
  const beyond = /for the mapped address \(([0-9a-fA-F]+)\)/.exec(text)?.[1];
  const iova = beyond === undefined ? field(text, 'iova', 'dma_addr') : BigInt(`0x${beyond}`);
  const size = field(text, 'size', 'len', 'length');
  const va = field(text, 'vaddr', 'va', 'user_va', 'addr', 'hva');
  return {
    ...(iova === undefined ? {} : { iova }),
    ...(size === undefined ? {} : { size }),
    ...(va === undefined ? {} : { vaddr: va }),
  };
};

export const fieldsIn = (text: string): Fields => {
  const limit = /RLIMIT_MEMLOCK \((\d+)\)/.exec(text)?.[1];
  const group = /\/dev\/vfio\/((?:noiommu-)?\d+)|\bgroup (\d+)\b/i.exec(text);
  const groupName = group?.[1] ?? group?.[2];
  const device = /\b(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b/i.exec(text)?.[0];
  return {
    ...rangeIn(text),
    ...(limit === undefined ? {} : { limit: BigInt(limit) }),
    ...(groupName === undefined ? {} : { group: groupName }),
    ...(device === undefined ? {} : { device }),
  };
};
