// SPDX-License-Identifier: MIT
// The part of a world's key for a legacy container.

import { each, sizeOf } from '../../spec/collections/ordered-map.ts';
import type { Container, Dma, Type1 } from '../../spec/state/container.ts';
import { writeDomain } from './domain-key.ts';
import type { KeyWriter } from './key-writer.ts';
import type { Numbers } from './numbers.ts';

const writeDma = (writer: KeyWriter, backings: Numbers, iova: bigint, dma: Dma): void => {
  writer.u64(iova);
  writer.u64(dma.last);
  writer.u64(dma.vaddr);
  writer.number(dma.process);
  writer.byte(
    (dma.readable ? 1 : 0) |
      (dma.writable ? 2 : 0) |
      (dma.vaddrInvalid ? 4 : 0) |
      (dma.reached === undefined ? 0 : 8) |
      (dma.dirty === undefined ? 0 : 16),
  );
  if (dma.dirty !== undefined) writer.big(dma.dirty);
  if (dma.reached === undefined) return;
  writer.number(dma.reached.length);
  for (const { kind, backing, page, count } of dma.reached) {
    writer.flag(kind === 'device');
    writer.number(backings.of(backing));
    writer.number(page);
    writer.number(count);
  }
};

const writeNumbers = (writer: KeyWriter, numbers: readonly number[]): void => {
  writer.number(numbers.length);
  for (const number of numbers) writer.number(number);
};

const writeType1 = (writer: KeyWriter, backings: Numbers, type1: Type1): void => {
  writer.byte(type1.version | (type1.nesting ? 4 : 0) | (type1.tracksDirty ? 8 : 0));
  writer.number(type1.domains.length);
  for (const { domain, groups } of type1.domains) {
    writeDomain(writer, domain);
    writeNumbers(writer, groups);
  }
  writeNumbers(writer, type1.emulatedGroups);
  writer.number(type1.ranges.length);
  for (const { start, last } of type1.ranges) {
    writer.u64(start);
    writer.u64(last);
  }
  writer.number(type1.lookupMisses.length);
  for (const start of type1.lookupMisses) writer.u64(start);
  writer.number(type1.available);
  writer.number(type1.invalidVaddrs);
  writer.number(sizeOf(type1.dmas));
  each(type1.dmas, (iova, dma) => {
    writeDma(writer, backings, iova, dma);
  });
};

export const writeContainer = (
  writer: KeyWriter,
  backings: Numbers,
  { groups, type1, noIommu, untracked }: Container,
): void => {
  writeNumbers(writer, groups);
  writer.text(untracked ?? '');
  writer.flag(noIommu);
  writer.flag(type1 !== undefined);
  if (type1 !== undefined) writeType1(writer, backings, type1);
};
