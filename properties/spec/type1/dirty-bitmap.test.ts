// SPDX-License-Identifier: MIT
// The bitmap of a map that no device reaches costs what the program can be given of it, however large the map is.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileDescriptor, pageIndex, userAddress } from '../../../spec/abi/units.ts';
import { put } from '../../../spec/collections/ordered-map.ts';
import { mapped } from '../../../spec/state/address-space.ts';
import { emptyMemory, withSpace } from '../../../spec/state/memory.ts';
import type { IoctlCall } from '../../../spec/terms/call.ts';
import { longestReached, report } from '../../../spec/type1/dirty-bitmap.ts';
import { PRIVILEGED } from '../../helpers/settings.ts';

const BITMAP = 0x10_0000n;
const PAGE = 4096n;
/** The largest map that can have a bitmap, in bytes. */
const LONGEST = 0x7fff_ffffn * PAGE;

const CALL: IoctlCall = {
  kind: 'ioctl',
  process: 1,
  fd: fileDescriptor(3),
  command: 0,
  argument: userAddress(0n),
  memory: [],
};

const memory = withSpace(
  emptyMemory('complete', PRIVILEGED),
  1,
  mapped(undefined, BITMAP, {
    last: BITMAP + PAGE - 1n,
    protection: 'read-write',
    shared: false,
    kind: 'memory',
    backing: 1,
    page: pageIndex(0),
  }),
);

const bitmaps = suite('bitmaps of type1');

for (const pagesBefore of [0n, 1n]) {
  bitmaps(
    `a map of 8 TiB, ${pagesBefore} pages into a word, is reported to the end of memory`,
    () => {
      const key = pagesBefore * PAGE;
      const dma = {
        last: key + LONGEST - 1n,
        vaddr: userAddress(0n),
        process: 1,
        readable: true,
        writable: true,
        reached: undefined,
        vaddrInvalid: false,
        dirty: 0n,
      };
      assert.is(longestReached({ dmas: put(undefined, key, dma) }), 0n, 'no device reaches it');
      const reported = report(memory, CALL, { key, value: dma } as Parameters<typeof report>[2], {
        address: BITMAP,
        base: 0n,
      });
      assert.is(reported.whole, false);
      assert.equal(
        reported.writes.map(({ address, bytes }) => [address, bytes.length]),
        [[BITMAP, Number(PAGE)]],
      );
      assert.is(reported.dma.dirty, 0n);
    },
  );
}

bitmaps.run();
