// SPDX-License-Identifier: MIT
// Facts learned from kernels, on one kernel: node dist/properties/kernels/main.js IMAGE. Every trace of fixtures/kernel and every
// example of the corpus for its platform runs there and is judged, and C files of them are compiled and run. Exit
// status: 0 all is well, 1 something is not, 3 this machine lacks something.

import { basename } from 'node:path';
import type { Program } from '../../model/programs/program.ts';
import { judgeOnKernel } from '../../oracle/check/kernel-campaign.ts';
import { startKernel } from '../../oracle/cli/kernel.ts';
import { counterexampleText } from '../../oracle/report/counterexample.ts';
import { PLAIN } from '../../oracle/text/palette.ts';
import { programOf } from '../../oracle/trace/trace-file.ts';
import { EnvironmentError } from '../../oracle/vm/environment-error.ts';
import type { VmPlatform } from '../../oracle/vm/qemu.ts';
import { ERRNO } from '../../spec/abi/errno.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import { CORPUS } from '../corpus/corpus.ts';
import { readRegressions } from '../harness/regressions.ts';
import { hasCompiler, type RanProgram, reproduce } from './reproducers.ts';

const PLATFORMS: readonly VmPlatform[] = ['mock', 'vtd', 'virtio', 'noiommu'];

/** Physical addresses differ from run to run, and 6.12.95 has no such files: C of no-IOMMU programs would not repeat. */
const WITHOUT_C: readonly VmPlatform[] = ['noiommu'];

const PRIVILEGED = { privileged: true, memlockLimit: U64_MAX };

type NamedProgram = { readonly name: string; readonly program: Program };

/** Examples name devices, and those of the emulator's VT-d are not the virtual machine's. */
const WITH_EXAMPLES: readonly VmPlatform[] = ['mock', 'noiommu'];

const examplesOn = (platform: VmPlatform): readonly NamedProgram[] =>
  WITH_EXAMPLES.includes(platform)
    ? Object.values(CORPUS)
        .flat()
        .filter(
          ({ setting }) => setting.platform.name === platform && setting.credentials.privileged,
        )
        .map(({ says, steps }) => ({ name: says, program: steps.map(([operation]) => operation) }))
    : [];

const programsOn = async (platform: VmPlatform): Promise<readonly NamedProgram[]> => {
  const regressions = await readRegressions();
  return [
    ...regressions
      .filter(({ trace }) => trace.header.setting.platform.name === platform)
      .map(({ name, trace }) => ({ name, program: programOf(trace) })),
    ...examplesOn(platform),
  ];
};

/** What the subject says by itself, where it does not let a program map other files than its own. */
const isAnsweredBySubject = ({ steps }: RanProgram): boolean =>
  steps.some(({ call, observation }) => call.kind === 'mmap' && observation.errno === ERRNO.ENODEV);

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** How many checks failed. */
const checkOn = async (image: string, platform: VmPlatform): Promise<number> => {
  const programs = await programsOn(platform);
  const { subject, setting } = await startKernel({ vm: image }, platform, PRIVILEGED);
  const ran: RanProgram[] = [];
  let violations = 0;
  try {
    for (const { name, program } of programs) {
      const { steps, failure } = await judgeOnKernel(setting, subject, program);
      if (failure !== undefined) {
        violations += 1;
        const text = counterexampleText({ setting, program, steps, failure }, 'brief', PLAIN);
        print([`${name}:`, ...text].join('\n'));
      }
      ran.push({ name, program, steps: steps.map(({ step }) => step) });
    }
  } finally {
    await subject.close();
  }
  const where = `${setting.release} ${platform}`;
  print(`${where}: ${programs.length} programs, ${violations} violations`);
  if (WITHOUT_C.includes(platform)) return violations;
  if (!(await hasCompiler())) {
    print(`${where}: skipped: there is no cc here, so that no C file was run`);
    return violations;
  }
  const shown = ran.filter((each) => !isAnsweredBySubject(each));
  const { files, wrong } = await reproduce(image, platform, setting, shown);
  for (const line of wrong) print(line);
  print(`${where}: ${files} C files, ${wrong.length} wrong`);
  return violations + wrong.length;
};

const main = async (image: string | undefined): Promise<number> => {
  if (image === undefined) {
    print(`The kernel is missing: node ${basename(process.argv[1] ?? '')} IMAGE`);
    return 2;
  }
  let wrong = 0;
  try {
    for (const platform of PLATFORMS) wrong += await checkOn(image, platform);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    print(error.message);
    return 3;
  }
  return wrong === 0 ? 0 : 1;
};

// Ended from outside, it takes its virtual machine with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

process.exitCode = await main(process.argv[2]);
