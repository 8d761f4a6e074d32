// The options that choose a real kernel as the subject, and the machines that they mean.

import { type Command, Option } from 'commander';
import type { Setting } from '../../spec/platform.ts';
import { RELEASE_NAMES } from '../../spec/releases.ts';
import type { MachineDescription } from '../subjects/kernel/machine-description.ts';
import { platformOfMachine } from '../subjects/kernel/platform.ts';
import type { KernelSubject } from '../subjects/kernel/subject.ts';
import { EnvironmentError } from '../vm/environment-error.ts';
import type { VmPlatform } from '../vm/qemu.ts';
import { BadUse } from './bad-use.ts';
import type { SettingOptions } from './settings.ts';

const SUBJECTS = ['emulator', 'kernel'] as const;

export type SubjectOptions = {
  readonly subject?: (typeof SUBJECTS)[number];
  readonly vm?: string;
};

/** The platforms of a virtual machine that programs are drawn for, and those of them that are taken by default. */
const CHECKED_PLATFORMS: readonly VmPlatform[] = ['mock', 'vtd', 'mixed'];
const DEFAULT_PLATFORMS: readonly VmPlatform[] = ['mock', 'vtd'];

export const addSubjectOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--subject <subject>', 'what the programs run on (default: emulator)').choices(
        SUBJECTS,
      ),
    )
    .option('--vm <image>', 'start this kernel, a bzImage, in a virtual machine; without it, here');

export const isOnKernel = ({ subject, vm }: SubjectOptions): boolean => {
  if (subject === 'emulator' && vm !== undefined) {
    throw new BadUse('--vm starts a kernel, and --subject emulator wants none: leave out one.');
  }
  return subject === 'kernel' || vm !== undefined;
};

/** The platforms that the options ask for: for a virtual machine, each by default. Releases are what the kernel is. */
export const kernelPlatforms = ({
  vm,
  platform,
  release,
}: SubjectOptions & SettingOptions): readonly (VmPlatform | undefined)[] => {
  if (release !== undefined) {
    throw new BadUse('--release is of the emulator; a kernel has the release that it has.');
  }
  if (vm === undefined) {
    if (platform === undefined) return [undefined];
    throw new BadUse('--platform is of a virtual machine (--vm); this machine has its own.');
  }
  if (platform === undefined) return DEFAULT_PLATFORMS;
  const chosen = CHECKED_PLATFORMS.filter((name) => name === platform);
  if (chosen.length > 0) return chosen;
  throw new BadUse(
    `A virtual machine is checked as ${CHECKED_PLATFORMS.join(' or ')}, not ${platform}.`,
  );
};

export const subjectText = ({
  vm,
}: SubjectOptions): { readonly subject: string; readonly replay: string } =>
  vm === undefined
    ? { subject: "this machine's kernel", replay: 'iommufd-spec replay --subject kernel' }
    : { subject: `the kernel ${vm}`, replay: `iommufd-spec replay --subject kernel --vm ${vm}` };

type Credentials = Setting['credentials'];

/** A user without capabilities. */
const NOBODY = 65_534;

/** What programs for a machine are judged by. Throws EnvironmentError where its kernel is not specified. */
const settingOfMachine = (machine: MachineDescription, credentials: Credentials): Setting => {
  const release = RELEASE_NAMES.find((name) => name === machine.release);
  if (release === undefined) {
    throw new EnvironmentError(
      `The kernel is ${machine.release}; specified are ${RELEASE_NAMES.join(' and ')}. Start one of them with --vm.`,
    );
  }
  return { release, platform: platformOfMachine(machine), credentials };
};

type StartedKernel = { readonly subject: KernelSubject; readonly setting: Setting };

/** Starts a machine. Whoever gets it closes it. Rejects with EnvironmentError where there is none to start. */
export const startKernel = async (
  { vm }: SubjectOptions,
  platform: VmPlatform | undefined,
  credentials: Credentials,
): Promise<StartedKernel> => {
  const { KernelSubject } = await import('../subjects/kernel/subject.ts');
  const target =
    vm === undefined
      ? ({ kind: 'local' } as const)
      : ({ kind: 'vm', image: vm, platform: platform ?? 'mock' } as const);
  const { privileged, memlockLimit } = credentials;
  const subject = new KernelSubject(
    target,
    privileged ? {} : { unprivileged: { id: NOBODY, memlockLimit: String(memlockLimit) } },
  );
  try {
    return { subject, setting: settingOfMachine(await subject.start(), credentials) };
  } catch (error) {
    await subject.close();
    throw error;
  }
};

/** The platform of a virtual machine on which a program of that setting runs. */
const vmPlatformOf = ({ platform: { devices } }: Setting): VmPlatform => {
  if (devices.length === 0) return 'mock';
  return devices.some(({ iommu }) => iommu === 'none') ? 'mixed' : 'vtd';
};

/**
 * Uses a kernel for a program that was made for the setting `told`. It is judged by what the kernel is, which may be
 * another release.
 */
export const withKernelFor = async <T>(
  options: SubjectOptions,
  told: Setting,
  use: (kernel: StartedKernel) => Promise<T>,
): Promise<T> => {
  const kernel = await startKernel(options, vmPlatformOf(told), told.credentials);
  try {
    return await use(kernel);
  } finally {
    await kernel.subject.close();
  }
};

/** A program that was not run to its end proves nothing. Throws BadUse where the subject refused an operation. */
export const requireWhole = (run: {
  readonly steps: readonly unknown[];
  readonly fault: unknown;
  readonly refused: string | undefined;
}): void => {
  if (run.refused === undefined || run.fault !== undefined) return;
  throw new BadUse(
    `Operation ${run.steps.length + 1} is not made on a kernel, for safety: ${run.refused}`,
  );
};
