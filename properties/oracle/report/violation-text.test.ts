// SPDX-License-Identifier: MIT
// The claims in the text of a violation are true: what changed in memory, which map the call
// overlapped, which group has no IOMMU.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DefectName } from '../../../model/emulator/defects.ts';
import { startOfProgram } from '../../../model/programs/builder.ts';
import { judgeProgram, judgeSteps } from '../../../oracle/check/judge-program.ts';
import { changesOf } from '../../../oracle/decode/changes.ts';
import { counterexampleText } from '../../../oracle/report/counterexample.ts';
import { programText } from '../../../oracle/report/program-text.ts';
import { PLAIN } from '../../../oracle/text/palette.ts';
import { userAddress } from '../../../spec/abi/units.ts';
import type { Observation, Segment } from '../../../spec/terms/call.ts';
import { SHOWN_DEFECTS } from '../../defects/shown-defects.ts';
import { namedTraces } from '../../harness/emissions.ts';
import { arena, native, open, out } from '../../helpers/operations.ts';
import { settingOf } from '../../helpers/settings.ts';

/** The lines that the defect's own program produces, without leading spaces. */
const shown = (name: DefectName): readonly string[] => {
  const found = SHOWN_DEFECTS.find(({ defect }) => defect === name);
  if (found === undefined) throw new Error(`No program shows ${name}.`);
  const { setting, program } = found;
  const { steps, failure } = judgeProgram(setting, program, new Set([name]));
  if (failure === undefined) throw new Error(`${name} is not shown.`);
  return counterexampleText({ setting, program, steps, failure }, 'brief', PLAIN);
};

/** Wrapped lines as one. */
const textOf = (name: DefectName): string =>
  shown(name)
    .map((line) => line.trim())
    .join(' ');

const UNCHANGED = 'no change in the memory that was read back';

const byteAt = (segments: readonly Segment[], address: bigint): number | undefined => {
  for (const segment of segments) {
    const from = address - segment.address;
    if (from >= 0n && from < BigInt(segment.bytes.length)) return segment.bytes[Number(from)];
  }
  return undefined;
};

const differs = (before: readonly Segment[], { memory }: Observation): boolean =>
  memory.some(({ address, bytes }) =>
    bytes.some((byte, index) => {
      const then = byteAt(before, address + BigInt(index));
      return then !== undefined && then !== byte;
    }),
  );

const texts = suite('text of a violation');

texts('a change is reported for a call exactly if a byte of its memory changed', () => {
  let changed = 0;
  for (const { name, trace } of namedTraces()) {
    let world = startOfProgram(trace.header.setting);
    const made = trace.operations.flatMap(({ operation, step }) =>
      step === undefined ? [] : [{ label: operation.label, ...step }],
    );
    const { steps } = judgeSteps(world, made);
    for (const [index, { step, verdict }] of steps.entries()) {
      const { call, observation } = step;
      if (call.kind === 'ioctl' || call.kind === 'dma') {
        const hasChanged = differs(call.memory, observation);
        if (hasChanged) changed += 1;
        const changes = changesOf(world, call, observation);
        assert.is(changes.length > 0, hasChanged, `${name}, operation ${index + 1}`);
      }
      world = verdict.world;
    }
  }
  assert.ok(changed > 300, `${changed} calls changed memory`);
});

texts('bytes that no field covers are reported by their address', () => {
  const { steps } = judgeProgram(settingOf('mock'), [
    open('iommufd', '/dev/iommu'),
    native('ioas', 'iommufd', 'IOMMU_IOAS_ALLOC', {}),
  ]);
  const step = steps[1]?.step;
  const world = steps[0]?.verdict.world;
  if (step?.call.kind !== 'ioctl' || world === undefined) throw new Error('There is no such call.');
  const address = userAddress(0x7000_0000_9000n);
  const aside = (byte: number): Segment => ({ address, bytes: new Uint8Array([0, byte, 0]) });
  const call = { ...step.call, memory: [...step.call.memory, aside(0)] };
  const memory = [...step.observation.memory, aside(0xff)];
  const changes = changesOf(world, call, { ...step.observation, memory });
  assert.equal(changes.at(-1), { name: `memory at 0x700000009001`, before: '00', after: 'ff' });
});

texts('a bitmap that was written is reported by its name', () => {
  const lines = shown('type1-bitmap-not-shifted');
  const observed = lines.indexOf('Observed');
  assert.match(lines[observed + 2] ?? '', /^ {2}wrote the bitmap 0{8} 0{8} -> 010{6} 0{8}$/);
  assert.not.ok(lines.some((line) => line.includes(UNCHANGED)));
});

texts('the state of a call on a legacy container has its maps, and the call that made each', () => {
  const text = textOf('type1-bitmap-not-shifted');
  assert.match(text, /legacy container at descriptor 3, type1 v2, with group 4: 1 map, 65534 more/);
  assert.match(text, />\s+0x0000000000fff000 - 0x0000000001000fff\s+the range to report/);
  assert.match(
    text,
    /0x0000000001000000 - 0x0000000001000fff\s+map .., 4 KiB, memory 0x[0-9a-f]+ of process 1, since operation 5/,
  );
});

texts('the state behind hidden differences has the maps of legacy containers', () => {
  const text = textOf('type1-read-only-mapped-writable');
  assert.match(text, /legacy container at descriptor 3/);
  assert.match(text, /0x0000000001000000 - 0x0000000001000fff\s+map r-, 4 KiB/);
});

texts('the state of a transfer has the map that it goes through', () => {
  const text = textOf('iotlb-not-flushed');
  assert.match(text, /IOAS \d+/);
  assert.match(text, />\s+0x0000000001000000 - 0x0000000001000007\s+the transfer/);
});

texts('an unmap that a pin holds up names the access and what it pins', () => {
  const text = textOf('access-not-notified');
  assert.match(
    text,
    /Likeliest: the unmap met an area that stayed pinned: the access with id 2 \(descriptor 4\) pins \[0x1000000, 0x1000fff\]/,
  );
  assert.match(text, /iopt_unmap_iova_range\(\) gives up with EDEADLOCK/);
  assert.not.match(text, /another part of the kernel/);
});

texts('no id is printed as if it were a count', () => {
  const text = textOf('access-not-notified');
  assert.match(text, /used by the access with id 2/);
  for (const { defect } of SHOWN_DEFECTS) {
    assert.not.match(textOf(defect), /users?: \d|of the user \d|\baccess(?:es)? \d+\b/, defect);
  }
});

for (const name of [
  'noiommu-groups-mix',
  'noiommu-iommufd-takes-others',
  'noiommu-beside-an-ioas',
] as const) {
  texts(`${name}: the no-IOMMU group is named`, () => {
    const text = textOf(name);
    assert.match(text, /\d {2}no-IOMMU group 0, whose container is descriptor 3/);
    const facts = /Let the state and the call be as shown: (.*?)\. Then/.exec(text)?.[1] ?? '';
    assert.match(facts, /group \d+ is (not )?a no-IOMMU group/);
  });
}

texts('a rule that was skipped is not reported with certainty as checked in another order', () => {
  const text = textOf('bind-while-group-open');
  assert.match(
    text,
    /group-open is missing, or comes after that of .*bad-descriptor: both conditions hold \(group 4 is open; descriptor 0 is not open\)/,
  );
});

texts('a handle of an operation that does not exist is reported as none', () => {
  const [line] = programText([
    native('ioas', 'iommufd', 'IOMMU_IOAS_UNMAP', { ioas_id: out('gone', 'out_ioas_id') }),
  ]);
  assert.match(
    line ?? '',
    /\(0 \(a handle of no operation\), ioas_id=0 \(a handle of no operation\)/,
  );
});

texts('every handle that is named is the output of an earlier operation', () => {
  const lines = programText([
    open('iommufd', '/dev/iommu'),
    native('ioas', 'iommufd', 'IOMMU_IOAS_ALLOC', {}),
    native('copy', 'iommufd', 'IOMMU_IOAS_UNMAP', {
      ioas_id: out('ioas', 'out_ioas_id'),
      iova: out('ioas', 'flags'),
    }),
    native('map', 'iommufd', 'IOMMU_IOAS_MAP', { user_va: arena(0n) }),
  ]);
  assert.match(lines[1] ?? '', /ioas1, flags1 = /);
  assert.match(lines[2] ?? '', /ioas_id=ioas1, iova=flags1/);
});

texts.run();
