// SPDX-License-Identifier: MIT
// A campaign on a kernel compared with a bare loop that makes the same calls through the same FFI, in the same kind of virtual
// machine, one after the other: whether generation and the judge keep up with the kernel.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ARENA_BASE } from '../../model/programs/arena.ts';
import { type KernelRun, runKernelCampaign } from '../../oracle/check/kernel-campaign.ts';
import { startKernel } from '../../oracle/cli/kernel.ts';
import { runVmCommand } from '../../oracle/vm/command.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import type { BareCall, BarePrograms, BareReport, BareSpan } from './bare-loop.ts';
import { type Measured, seconds } from './measured.ts';

const LOOP = fileURLToPath(new URL('./bare-loop.js', import.meta.url));
const RUNS = 1000;
const WARM_UP = 300;
const LENGTH = 40;
const PRIVILEGED = { privileged: true, memlockLimit: U64_MAX };
const LOW = 0xffff_ffffn;

/** A program's calls; undefined where one of them changes mappings, which a bare loop cannot be given. */
const bareOf = ({ steps }: KernelRun): readonly BareCall[] | undefined => {
  const calls: BareCall[] = [];
  for (const { call, observation } of steps) {
    const result = observation.errno === 0 ? observation.result : -observation.errno;
    if (call.kind === 'status') continue;
    if (call.kind === 'open') calls.push({ kind: 'open', path: call.path, result });
    else if (call.kind === 'close') calls.push({ kind: 'close', fd: call.fd, result });
    else if (call.kind === 'ioctl') {
      const { fd, command, argument, memory } = call;
      const spans: readonly BareSpan[] = memory.map(({ address, bytes }) => [
        Number(address - ARENA_BASE),
        Buffer.from(bytes).toString('hex'),
      ]);
      const [high, low] = [Number(argument >> 32n), Number(argument & LOW)];
      calls.push({ kind: 'ioctl', fd, command, high, low, spans, result });
    } else return undefined;
  }
  return calls;
};

const firstDescriptorOf = (runs: readonly KernelRun[]): number => {
  const opened = runs.flatMap(({ steps }) =>
    steps.flatMap(({ call, observation }) =>
      call.kind === 'open' && observation.errno === 0 ? [observation.result] : [],
    ),
  );
  return Math.min(...opened);
};

const bareLoop = async (image: string, programs: BarePrograms): Promise<BareReport> => {
  const folder = mkdtempSync(join(tmpdir(), 'iommufd-spec-bench-'));
  try {
    const file = join(folder, 'calls.json');
    writeFileSync(file, JSON.stringify(programs));
    const command = [process.execPath, LOOP, file];
    const { status, output } = await runVmCommand({ image, command });
    if (status !== 0) throw new Error(`The bare loop failed:\n${output}`);
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as BareReport;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

export const campaignRate = async (image: string): Promise<readonly Measured[]> => {
  const { subject, setting } = await startKernel({ vm: image }, 'mock', PRIVILEGED);
  const runs: KernelRun[] = [];
  let calls = 0;
  let time = 0;
  try {
    const options = { setting, subject, length: LENGTH };
    await runKernelCampaign({ ...options, runs: WARM_UP, seed: 1 });
    const run = async (programs: Parameters<typeof subject.run>[0], fresh?: boolean) => {
      const ran = await subject.run(programs, fresh);
      runs.push(...ran);
      return ran;
    };
    time = await seconds(async () => {
      const report = await runKernelCampaign({ ...options, subject: { run }, runs: RUNS, seed: 2 });
      if (report.counterexample !== undefined) throw new Error('The campaign found a violation.');
      calls = report.calls;
    });
  } finally {
    await subject.close();
  }
  const programs = runs.flatMap((ran) => {
    const bare = bareOf(ran);
    return bare === undefined ? [] : [bare];
  });
  const loop = await bareLoop(image, { firstDescriptor: firstDescriptorOf(runs), programs });
  const campaign = calls / time;
  const bare = (loop.calls / loop.milliseconds) * 1000;
  const same = ((100 * loop.same) / loop.calls).toFixed(1);
  return [
    {
      what: 'campaign on a kernel: generated, run, judged',
      value: campaign,
      unit: 'calls/s',
      note: `mock domains, ${RUNS} programs, ${calls} calls`,
    },
    {
      what: 'bare loop of the same calls',
      value: bare,
      unit: 'calls/s',
      note: `${programs.length} programs that change no mapping, ${loop.calls} calls, ${same} % answered alike`,
    },
    {
      what: 'campaign beside the bare loop',
      value: campaign / bare,
      unit: 'times',
      note: 'at least 0.5 is asked for',
    },
  ];
};
