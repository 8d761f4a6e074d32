// SPDX-License-Identifier: MIT
// Ranges are walked by runs of consecutive pages, so that the longest range costs no more than what is mapped in it.

import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeText } from '../../../oracle/judge/judge-text.ts';
import { bytesOfHex, hexOf } from '../../../spec/abi/bytes-text.ts';
import { PAGE_SIZE_BYTES, pageIndex } from '../../../spec/abi/units.ts';
import { frameAt, pagesFrom } from '../../../spec/selftest/frames.ts';
import { mapped } from '../../../spec/state/address-space.ts';
import { emptyMemory, type Memory, spaceOf, withSpace } from '../../../spec/state/memory.ts';
import { FIXTURES, readLines, recordingsIn } from '../../harness/recordings.ts';
import { PRIVILEGED } from '../../helpers/settings.ts';

const PAGES = 24;
const addressOf = (page: number): bigint => BigInt(page) * PAGE_SIZE_BYTES;

const mapping = fc.record({
  process: fc.integer({ min: 0, max: 2 }),
  from: fc.integer({ min: 0, max: PAGES - 1 }),
  count: fc.integer({ min: 1, max: 8 }),
  protection: fc.constantFrom('none', 'read', 'read-write'),
  shared: fc.boolean(),
  kind: fc.constantFrom('memory', 'device', 'beyond'),
  backing: fc.integer({ min: 1, max: 3 }),
  page: fc.integer({ min: 0, max: 9 }),
});

const memories = fc
  .tuple(
    fc.constantFrom<Memory['knowledge'][]>('complete', 'recorded'),
    fc.array(mapping, { maxLength: 8 }),
  )
  .map(([knowledge, mappings]) =>
    mappings.reduce(
      (memory, { process, from, count, page, ...rest }) => {
        const last = addressOf(from + count) - 1n;
        const space = mapped(spaceOf(memory, process), addressOf(from), {
          ...rest,
          last,
          page: pageIndex(page),
        });
        return withSpace(memory, process, space);
      },
      emptyMemory(knowledge, PRIVILEGED),
    ),
  );

const runs = suite('runs of pages');

runs('each page of a run is what its address has', () => {
  fc.assert(
    fc.property(memories, fc.integer({ min: 0, max: PAGES + 8 }), (memory, from) => {
      const end = addressOf(PAGES + 12) - 1n;
      const { first, last } = pagesFrom(memory, 0, addressOf(from), end);
      assert.is((last + 1n) % PAGE_SIZE_BYTES, 0n);
      assert.ok(last >= addressOf(from) && last <= end);
      for (let page = from; addressOf(page) <= last; page += 1) {
        const expected =
          first.kind === 'frame'
            ? { ...first, frame: { ...first.frame, page: first.frame.page + (page - from) } }
            : first;
        assert.equal(frameAt(memory, 0, addressOf(page)), expected);
      }
    }),
  );
});

/** A multiple of every page size, about 2^45; and the highest multiple of a page. */
const LONG = ['0000000000200000', '00f0ffffffffffff'];

const LINES_EACH = 4;

type Recorded = { readonly cmd?: string; readonly in?: string };

/** The ioctl, and the operation of IOMMU_TEST_CMD. */
const commandOf = ({ cmd, in: bytes = '' }: Recorded): string | undefined =>
  cmd === '0x3ba0' ? `${cmd} ${bytes.slice(8, 16)}` : cmd;

/** Each u64 of a struct in turn, replaced. */
function* longRanges(bytes: string): Generator<string> {
  const struct = bytesOfHex(bytes);
  for (let at = 8; struct !== undefined && at + 8 <= Math.min(struct.length, 72); at += 8) {
    for (const value of LONG) {
      const altered = struct.slice();
      altered.set(bytesOfHex(value) as Uint8Array, at);
      yield hexOf(altered);
    }
  }
}

runs('a recorded call with the longest range is judged without a walk over its pages', async () => {
  const taken = new Map<string, number>();
  let judged = 0;
  for (const name of recordingsIn(FIXTURES)) {
    const lines = await readLines(join(FIXTURES, name));
    for (const [index, text] of lines.slice(0, 40).entries()) {
      const call: Recorded = JSON.parse(text);
      const command = commandOf(call);
      if (index === 0 || command === undefined || call.in === undefined) continue;
      const before = taken.get(command) ?? 0;
      if (before === LINES_EACH) continue;
      taken.set(command, before + 1);
      for (const altered of longRanges(call.in)) {
        const line = JSON.stringify({ ...call, in: altered });
        for (const { verdict } of judgeText([...lines.slice(0, index), line].join('\n'))) {
          judged += verdict.kind === 'violation' ? 1 : 0;
        }
      }
    }
  }
  assert.ok(taken.size > 30, `${taken.size} commands`);
  assert.ok(judged > 0, 'no altered call is a violation');
});

runs.run();
