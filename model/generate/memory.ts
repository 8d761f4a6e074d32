// SPDX-License-Identifier: MIT
// Generates changes of the program's own memory, reads of it, and unusual memory to map.

import { PAGE_SIZE_BYTES, U64_MAX } from '../../spec/abi/units.ts';
import { accountOf } from '../../spec/state/memory.ts';
import {
  DATA_OFFSET,
  HUGE_LENGTH,
  HUGE_OFFSET,
  HUGE_PAGE,
  READ_ONLY_OFFSET,
  SHARED_OFFSET,
} from '../programs/arena.ts';
import type { Value } from '../programs/program.ts';
import { PROCESS } from '../programs/run.ts';
import type { GenContext } from './gen-context.ts';
import { generateLength, generateUserAddress } from './values.ts';

const PAGE = PAGE_SIZE_BYTES;

/** Huge pages are mapped and unmapped as a whole; to cut them is refused. */
const generateHugePages = (gen: GenContext): void => {
  const { rng } = gen;
  const label = gen.builder.label('huge');
  const whole = !rng.chance(1, 10);
  const offset = HUGE_OFFSET + (rng.chance(1, 4) ? HUGE_PAGE : 0n) + (whole ? 0n : PAGE);
  const left = HUGE_OFFSET + HUGE_LENGTH - offset;
  const length =
    whole && left > HUGE_PAGE && rng.chance(1, 2) ? left : HUGE_PAGE - (whole ? 0n : PAGE);
  if (gen.hasHugePages() && rng.chance(1, 3)) {
    const cut = rng.chance(1, 4) ? PAGE : 0n;
    gen.add({ op: 'munmap', label, offset: offset + cut, length: length - cut });
    return;
  }
  const protection = rng.of(['read-write', 'read-write', 'read-write', 'read', 'none'] as const);
  const kind = rng.chance(1, whole ? 8 : 2) ? 'anonymous' : 'huge';
  const shared = rng.chance(1, 3);
  gen.add({ op: 'mmap', label, offset, length, protection, shared, backing: { kind } });
};

/** A file, sometimes mapped at once with pages after its end. */
export const generateFile = (gen: GenContext, base: bigint): void => {
  const { rng } = gen;
  const file = gen.builder.label('memory');
  const pages = rng.number(0, 8);
  const bytes = BigInt(pages) * PAGE + rng.of([0n, 0n, 0n, 1n]);
  gen.add({ op: 'memfd', label: file, length: bytes });
  if (!rng.chance(1, 2)) return;
  gen.add({
    op: 'mmap',
    label: gen.builder.label('memory'),
    offset: base,
    length: BigInt(Math.min(8, pages + rng.number(1, 2))) * PAGE,
    protection: 'read-write',
    shared: true,
    backing: { kind: 'memfd', fd: { from: file, out: 'result' }, offset: 0n },
  });
};

export const generateMemory = (gen: GenContext): void => {
  const { rng } = gen;
  const kinds = gen.platform.memoryKinds ?? [];
  if (kinds.includes('huge') && rng.chance(1, 5)) {
    generateHugePages(gen);
    return;
  }
  if (rng.chance(1, 12)) {
    const field = rng.of(['VmLck', 'VmPin'] as const);
    gen.add({ op: 'status', label: gen.builder.label('status'), field });
    return;
  }
  const base = rng.of([DATA_OFFSET, DATA_OFFSET, SHARED_OFFSET, READ_ONLY_OFFSET]);
  const offset = base + BigInt(rng.number(0, 7)) * PAGE;
  const length = BigInt(rng.number(1, 4)) * PAGE;
  const label = gen.builder.label('memory');
  if (rng.chance(1, 3)) {
    gen.add({ op: 'munmap', label, offset, length });
    return;
  }
  if (rng.chance(1, 4)) {
    gen.add({ op: 'store', label, offset, hex: rng.u64().toString(16).padStart(16, '0') });
    return;
  }
  const files = gen.descriptorsOf('memfd');
  const protection = rng.of(['read-write', 'read-write', 'read', 'none'] as const);
  if (files.length === 0 && rng.chance(1, 8)) {
    generateFile(gen, base);
    return;
  }
  if (files.length > 0 && rng.chance(1, 3)) {
    const others = [...gen.descriptorsOf('iommufd'), ...gen.descriptorsOf('access')];
    const isOther = rng.chance(1, 20) && others.length > 0;
    const fd = rng.chance(1, 30) ? 99n : (isOther ? rng.of(others) : rng.of(files)).value;
    const backing = { kind: 'memfd', fd, offset: 0n } as const;
    // Files have up to eight pages and perhaps one more byte, so that some of these pages are after
    // the end.
    const from = BigInt(rng.of([0, 0, 0, 1, 5, 8])) * PAGE;
    const mapped = { ...backing, offset: from };
    gen.add({ op: 'mmap', label, offset, length, protection, shared: true, backing: mapped });
    return;
  }
  if (kinds.includes('device') && rng.chance(1, 4)) {
    const device = { kind: 'device' } as const;
    gen.add({ op: 'mmap', label, offset, length, protection, shared: true, backing: device });
    return;
  }
  const backing = { kind: 'anonymous' } as const;
  const shared = rng.chance(1, 3);
  gen.add({ op: 'mmap', label, offset, length, protection, shared, backing });
};

/** The latest map of a file, whose pages may be after its end, or of a device's memory. */
const generateInvalidAddress = (gen: GenContext): Value | undefined => {
  const { operations } = gen.builder;
  for (let index = operations.length - 1; index >= 0; index -= 1) {
    const operation = operations[index];
    if (operation?.op !== 'mmap') continue;
    const { kind } = operation.backing;
    if (kind !== 'memfd' && kind !== 'device') continue;
    const pages = Number(operation.length / PAGE);
    const page = gen.rng.number(Math.max(0, pages - 3), pages - 1);
    return { arena: operation.offset + BigInt(page) * PAGE };
  }
  return undefined;
};

/**
 * In pages, up to the limit on locked memory of the process or the user, or one more; undefined if
 * there is no limit.
 */
const generateUpToLimit = (gen: GenContext): bigint | undefined => {
  const { memory } = gen.builder.world;
  const { privileged, memlockLimit } = memory.credentials;
  if (privileged || memlockLimit > MOST_LOCKED) return undefined;
  const { locked } = accountOf(memory, PROCESS);
  const left = Number(memlockLimit / PAGE) - Math.max(locked, memory.userLocked);
  return BigInt(Math.max(1, left + gen.rng.of([0, 1, 1]))) * PAGE;
};

/** The memory that can be mapped has no more pages. */
const MOST_LOCKED = 64n * PAGE;
const LAST_PAGE = U64_MAX - PAGE + 1n;

/** Memory to map, and its length in bytes. */
export const generateSource = (
  gen: GenContext,
): { readonly address: Value; readonly length: bigint } => {
  const { rng } = gen;
  const kind = rng.number(1, 48);
  if (kind <= 3) {
    const address = generateInvalidAddress(gen);
    if (address !== undefined) return { address, length: PAGE * BigInt(rng.number(1, 2)) };
  }
  if (kind <= 8) {
    const length = generateUpToLimit(gen);
    if (length !== undefined) return { address: { arena: DATA_OFFSET }, length };
  }
  if (kind === 9) return { address: LAST_PAGE, length: rng.of([2048n, 2048n, PAGE, 1n]) };
  return { address: generateUserAddress(rng, gen.hasHugePages()), length: generateLength(rng) };
};

/** Puts a device's BAR among the memory that is mapped for devices. */
export const generateBar = (gen: GenContext): void => {
  const { rng, platform } = gen;
  if (platform.memoryKinds?.includes('device') !== true) return;
  gen.add({
    op: 'mmap',
    label: gen.builder.label('memory'),
    offset: DATA_OFFSET + BigInt(rng.number(1, 7)) * PAGE,
    length: BigInt(rng.number(1, 4)) * PAGE,
    protection: rng.of(['read-write', 'read-write', 'read'] as const),
    shared: true,
    backing: { kind: 'device' },
  });
};
