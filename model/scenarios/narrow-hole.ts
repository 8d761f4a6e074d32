// SPDX-License-Identifier: MIT
// An allowed range of a few pages with an area in it: the kernel has one choice of an IOVA, or
// none.

import { MAP_FIXED_IOVA } from '../../spec/abi/native.ts';
import { PAGE_SIZE_BYTES } from '../../spec/abi/units.ts';
import type { GenContext } from '../generate/gen-context.ts';
import { nativeCall } from '../generate/native-call.ts';
import { ARRAY_OFFSET, DATA_OFFSET } from '../programs/arena.ts';
import type { Label, Value } from '../programs/program.ts';

const PAGE = PAGE_SIZE_BYTES;
const FIRST_IOVA = 0x101_0000n;
const FIXED = 7n;
const CHOSEN = FIXED & ~BigInt(MAP_FIXED_IOVA);

/** Adds the range, an area in it, and a map at an IOVA that the kernel chooses. */
export const generateNarrowRange = (gen: GenContext, fd: Value, ioas: Value): void => {
  const { rng } = gen;
  const pages = rng.number(2, 5);
  const address = { arena: ARRAY_OFFSET };
  const words = [FIRST_IOVA, FIRST_IOVA + BigInt(pages) * PAGE - 1n];
  const allowed = { ioas_id: ioas, num_iovas: 1n, allowed_iovas: address };
  nativeCall(gen, 'allow', fd, 'IOMMU_IOAS_ALLOW_IOVAS', allowed, [{ at: address, words }]);
  const map = (flags: bigint, iova: bigint, count: number): Label =>
    nativeCall(gen, 'map', fd, 'IOMMU_IOAS_MAP', {
      flags,
      ioas_id: ioas,
      user_va: { arena: DATA_OFFSET + BigInt(rng.number(0, 8)) * PAGE },
      length: BigInt(count) * PAGE,
      iova,
    });
  map(FIXED, FIRST_IOVA + BigInt(rng.number(0, pages - 1)) * PAGE, 1);
  map(CHOSEN, 0n, rng.number(1, pages));
};
