// SPDX-License-Identifier: MIT
// Transfers by devices show what replies do not: what a device did to memory reveals defects of a
// domain, without the machine's hidden state, and the kernel's reports of refused accesses are
// distinguished from other reports.

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { programs } from '../../../model/arbitrary.ts';
import type { DefectName } from '../../../model/emulator/defects.ts';
import { EmulatedMachine } from '../../../model/emulator/machine.ts';
import { startOfProgram } from '../../../model/programs/builder.ts';
import type { Program } from '../../../model/programs/program.ts';
import { runProgram } from '../../../model/programs/run.ts';
import { sortComplaints } from '../../../oracle/check/complaints.ts';
import { judgeSteps } from '../../../oracle/check/judge-program.ts';
import { dmaRules } from '../../../spec/hardware/dma.ts';
import type { DmaFault } from '../../../spec/state/engines.ts';
import type { World } from '../../../spec/state/world.ts';
import type { Setting } from '../../../spec/terms/platform.ts';
import { settingOf } from '../../helpers/settings.ts';

const VTD = settingOf('vtd');
/** As on a production kernel: nothing reads domains. */
const SETTING: Setting = {
  ...VTD,
  platform: { ...VTD.platform, testCommands: false, mockDevices: false },
};
const PROGRAMS = 250;
const SEED = 31;
const START = startOfProgram(SETTING);

const generated = fc.sample(programs(SETTING, 40, { probes: { transfersIn: 1 } }), {
  numRuns: PROGRAMS,
  seed: SEED,
});

/** The kind of the call whose reply shows the defect first; undefined if none does. */
const shownBy = (program: Program, defect: DefectName): string | undefined => {
  const machine = new EmulatedMachine(SETTING, { defects: new Set([defect]) });
  const judged = judgeSteps(START, runProgram(program, machine));
  return judged.failure === undefined ? undefined : judged.steps.at(-1)?.step.call.kind;
};

const transfers = suite('transfers of devices');

transfers('programs have them', () => {
  const count = generated.filter((program) => program.some(({ op }) => op === 'dma')).length;
  assert.ok(count > 0.85 * PROGRAMS, `${count} of ${PROGRAMS} programs`);
});

transfers(
  'programs with legacy containers have them, too; some move memory and none disagrees',
  () => {
    const ways = { probes: { transfersIn: 1 }, paths: 'legacy' } as const;
    let moved = 0;
    for (const program of fc.sample(programs(SETTING, 40, ways), { numRuns: 60, seed: SEED })) {
      const judged = judgeSteps(START, runProgram(program, new EmulatedMachine(SETTING)));
      assert.is(judged.failure, undefined);
      moved += judged.steps.filter(
        ({ verdict }) => verdict.kind === 'conforms' && verdict.rule === dmaRules.transfers,
      ).length;
    }
    assert.ok(moved > 120, `${moved} transfers`);
  },
);

transfers('only they find an entry that stays in the IOTLB', () => {
  const kinds = generated
    .map((program) => shownBy(program, 'iotlb-not-flushed'))
    .filter((kind) => kind);
  assert.ok(kinds.length > 0, 'not seen');
  assert.equal([...new Set(kinds)], ['dma']);
});

const ALSO_BY_OTHERS: readonly DefectName[] = [
  'read-only-mapped-writable',
  'domain-fill-forgets-areas',
];

for (const defect of ALSO_BY_OTHERS) {
  transfers(`they find ${defect}`, () => {
    const kinds = generated.map((program) => shownBy(program, defect));
    assert.ok(kinds.includes('dma'));
  });
}

const FAULT: DmaFault = { device: '0000:00:04.0', direction: 'write', page: 0x100_0000n };
const REFUSED: World = { ...START, engines: { ...START.engines, faults: [FAULT] } };

const HEAD = 'DMAR: DRHD: handling fault status reg 2';
const report = (kind: string, device: string, address: string): string =>
  `DMAR: [DMA ${kind} NO_PASID] Request device [${device}] fault addr ${address} [fault reason 0x05] PTE Write access is not set`;

transfers('the report of a refused access is no complaint if it had to be refused', () => {
  for (const device of ['00:04.0', '0000:00:04.0']) {
    const lines = [HEAD, report('Write', device, '0x1000000')];
    assert.equal(sortComplaints([START, REFUSED], lines).lines, []);
  }
});

transfers('nor is it if the program before caused it', () => {
  const lines = [HEAD, report('Write', '00:04.0', '0x1000000')];
  assert.equal(sortComplaints([START], lines, [FAULT]).lines, []);
  const other = report('Write', '00:05.0', '0x1000000');
  assert.equal(sortComplaints([START], [other], [FAULT]).lines, [other]);
});

transfers('any other report is a complaint', () => {
  const others = [
    report('Read', '00:04.0', '0x1000000'),
    report('Write', '00:05.0', '0x1000000'),
    report('Write', '00:04.0', '0x1001000'),
    'DMAR: DRHD: some other fault',
  ];
  for (const line of others) {
    assert.equal(sortComplaints([START, REFUSED], [HEAD, line]).lines, [HEAD, line], line);
  }
  assert.equal(sortComplaints([START], [HEAD]).lines, [HEAD]);
});

/** Endpoint 32 is 00:04.0. */
const byVirtio = (endpoint: number, address: string, flags: string): string =>
  `virtio_iommu virtio0: page fault from EP ${endpoint} at ${address} [${flags}]`;

transfers('a virtio-iommu reports words within the page, and perhaps not what was wanted', () => {
  for (const flags of ['', 'W', 'RW']) {
    const lines = [byVirtio(32, '0x1000004', flags)];
    assert.equal(sortComplaints([START, REFUSED], lines).lines, [], flags);
  }
  for (const line of [
    byVirtio(33, '0x1000004', ''),
    byVirtio(32, '0x1001000', ''),
    byVirtio(32, '0x1000000', 'R'),
  ]) {
    assert.equal(sortComplaints([START, REFUSED], [line]).lines, [line]);
  }
});

transfers.run();
