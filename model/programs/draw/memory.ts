// What the program does to its own memory, and looks at, drawn; and memory that is not of the usual kind, to be mapped.

import { PAGE_SIZE_BYTES, U64_MAX } from '../../../spec/abi/units.ts';
import { accountOf } from '../../../spec/state/memory.ts';
import {
  DATA_OFFSET,
  HUGE_LENGTH,
  HUGE_OFFSET,
  HUGE_PAGE,
  READ_ONLY_OFFSET,
  SHARED_OFFSET,
} from '../arena.ts';
import type { Value } from '../program.ts';
import { PROCESS } from '../run.ts';
import { drawLength, drawUserAddress } from '../values.ts';
import type { Scene } from './scene.ts';

const PAGE = PAGE_SIZE_BYTES;

/** Huge pages come and go, as a whole; who would cut them is refused. */
const drawHugePages = (scene: Scene): void => {
  const { dice } = scene;
  const label = scene.draft.label('huge');
  const whole = !dice.chance(1, 10);
  const offset = HUGE_OFFSET + (dice.chance(1, 4) ? HUGE_PAGE : 0n) + (whole ? 0n : PAGE);
  const left = HUGE_OFFSET + HUGE_LENGTH - offset;
  const length =
    whole && left > HUGE_PAGE && dice.chance(1, 2) ? left : HUGE_PAGE - (whole ? 0n : PAGE);
  if (scene.hasHugePages() && dice.chance(1, 3)) {
    const cut = dice.chance(1, 4) ? PAGE : 0n;
    scene.add({ op: 'munmap', label, offset: offset + cut, length: length - cut });
    return;
  }
  const protection = dice.of(['read-write', 'read-write', 'read-write', 'read', 'none'] as const);
  const kind = dice.chance(1, whole ? 8 : 2) ? 'anonymous' : 'huge';
  const shared = dice.chance(1, 3);
  scene.add({ op: 'mmap', label, offset, length, protection, shared, backing: { kind } });
};

/** A file, sometimes mapped at once with pages behind its end. */
export const drawFile = (scene: Scene, base: bigint): void => {
  const { dice } = scene;
  const file = scene.draft.label('memory');
  const pages = dice.number(0, 8);
  const bytes = BigInt(pages) * PAGE + dice.of([0n, 0n, 0n, 1n]);
  scene.add({ op: 'memfd', label: file, length: bytes });
  if (!dice.chance(1, 2)) return;
  scene.add({
    op: 'mmap',
    label: scene.draft.label('memory'),
    offset: base,
    length: BigInt(Math.min(8, pages + dice.number(1, 2))) * PAGE,
    protection: 'read-write',
    shared: true,
    backing: { kind: 'memfd', fd: { from: file, out: 'result' }, offset: 0n },
  });
};

export const drawMemory = (scene: Scene): void => {
  const { dice } = scene;
  const kinds = scene.platform.memoryKinds ?? [];
  if (kinds.includes('huge') && dice.chance(1, 5)) {
    drawHugePages(scene);
    return;
  }
  if (dice.chance(1, 12)) {
    const field = dice.of(['VmLck', 'VmPin'] as const);
    scene.add({ op: 'status', label: scene.draft.label('status'), field });
    return;
  }
  const base = dice.of([DATA_OFFSET, DATA_OFFSET, SHARED_OFFSET, READ_ONLY_OFFSET]);
  const offset = base + BigInt(dice.number(0, 7)) * PAGE;
  const length = BigInt(dice.number(1, 4)) * PAGE;
  const label = scene.draft.label('memory');
  if (dice.chance(1, 3)) {
    scene.add({ op: 'munmap', label, offset, length });
    return;
  }
  if (dice.chance(1, 4)) {
    scene.add({ op: 'store', label, offset, hex: dice.u64().toString(16).padStart(16, '0') });
    return;
  }
  const files = scene.descriptorsOf('memfd');
  const protection = dice.of(['read-write', 'read-write', 'read', 'none'] as const);
  if (files.length === 0 && dice.chance(1, 8)) {
    drawFile(scene, base);
    return;
  }
  if (files.length > 0 && dice.chance(1, 3)) {
    const others = [...scene.descriptorsOf('iommufd'), ...scene.descriptorsOf('access')];
    const odd = dice.chance(1, 20) && others.length > 0;
    const fd = dice.chance(1, 30) ? 99n : (odd ? dice.of(others) : dice.of(files)).value;
    const backing = { kind: 'memfd', fd, offset: 0n } as const;
    // Files have up to eight pages and perhaps a byte, so that some of these are behind the end.
    const from = BigInt(dice.of([0, 0, 0, 1, 5, 8])) * PAGE;
    const mapped = { ...backing, offset: from };
    scene.add({ op: 'mmap', label, offset, length, protection, shared: true, backing: mapped });
    return;
  }
  if (kinds.includes('device') && dice.chance(1, 4)) {
    const device = { kind: 'device' } as const;
    scene.add({ op: 'mmap', label, offset, length, protection, shared: true, backing: device });
    return;
  }
  const backing = { kind: 'anonymous' } as const;
  const shared = dice.chance(1, 3);
  scene.add({ op: 'mmap', label, offset, length, protection, shared, backing });
};

/** Where the program last mapped a file, of which pages may lie behind the end, or a device's memory. */
const drawOddAddress = (scene: Scene): Value | undefined => {
  const { operations } = scene.draft;
  for (let index = operations.length - 1; index >= 0; index -= 1) {
    const operation = operations[index];
    if (operation?.op !== 'mmap') continue;
    const { kind } = operation.backing;
    if (kind !== 'memfd' && kind !== 'device') continue;
    const pages = Number(operation.length / PAGE);
    const page = scene.dice.number(Math.max(0, pages - 3), pages - 1);
    return { arena: operation.offset + BigInt(page) * PAGE };
  }
  return undefined;
};

/** In pages, to the limit of what the process or the user may lock, or one more; undefined where there is none. */
const drawUpToLimit = (scene: Scene): bigint | undefined => {
  const { memory } = scene.draft.world;
  const { privileged, memlockLimit } = memory.credentials;
  if (privileged || memlockLimit > MOST_LOCKED) return undefined;
  const { locked } = accountOf(memory, PROCESS);
  const left = Number(memlockLimit / PAGE) - Math.max(locked, memory.userLocked);
  return BigInt(Math.max(1, left + scene.dice.of([0, 1, 1]))) * PAGE;
};

/** More than that the memory that is mapped cannot reach. */
const MOST_LOCKED = 64n * PAGE;
const LAST_PAGE = U64_MAX - PAGE + 1n;

/** Memory to be mapped, and how much of it, in bytes. */
export const drawSource = (scene: Scene): { readonly address: Value; readonly length: bigint } => {
  const { dice } = scene;
  const kind = dice.number(1, 48);
  if (kind <= 3) {
    const address = drawOddAddress(scene);
    if (address !== undefined) return { address, length: PAGE * BigInt(dice.number(1, 2)) };
  }
  if (kind <= 8) {
    const length = drawUpToLimit(scene);
    if (length !== undefined) return { address: { arena: DATA_OFFSET }, length };
  }
  if (kind === 9) return { address: LAST_PAGE, length: dice.of([2048n, 2048n, PAGE, 1n]) };
  return { address: drawUserAddress(dice, scene.hasHugePages()), length: drawLength(dice) };
};

/** A device's registers among the memory that is mapped for devices. */
export const drawRegisters = (scene: Scene): void => {
  const { dice, platform } = scene;
  if (platform.memoryKinds?.includes('device') !== true) return;
  scene.add({
    op: 'mmap',
    label: scene.draft.label('memory'),
    offset: DATA_OFFSET + BigInt(dice.number(1, 7)) * PAGE,
    length: BigInt(dice.number(1, 4)) * PAGE,
    protection: dice.of(['read-write', 'read-write', 'read'] as const),
    shared: true,
    backing: { kind: 'device' },
  });
};
