// SPDX-License-Identifier: MIT
// The options that choose a real kernel as the subject, and the machines that they select.

import type { Command } from 'commander';
import type { Setting } from '../../spec/terms/platform.ts';
import { USUAL_PLATFORMS } from '../../spec/terms/platforms.ts';
import { type ReleaseName, versionOf } from '../../spec/terms/releases.ts';
import { checkLockedPages, UnsafeCall } from '../safety/permitted.ts';
import type { MachineDescription } from '../subjects/kernel/machine-description.ts';
import { platformOfMachine, vmPlatformOf } from '../subjects/kernel/platform.ts';
import type { KernelSubject } from '../subjects/kernel/subject.ts';
import { EnvironmentError } from '../vm/environment-error.ts';
import { VM_PLATFORMS, type VmPlatform } from '../vm/qemu.ts';
import { BadUse } from './bad-use.ts';
import { optionOf } from './did-you-mean.ts';
import { credentialsOf, type SettingOptions } from './settings.ts';

const SUBJECTS = ['emulator', 'kernel'] as const;

type Credentials = Setting['credentials'];

export type SubjectOptions = {
  readonly subject?: (typeof SUBJECTS)[number];
  readonly vm?: string;
};

export const addSubjectOptions = (command: Command): Command =>
  command
    .addOption(
      optionOf('--subject <subject>', 'what the programs run on (default: emulator)', SUBJECTS),
    )
    .option('--vm <image>', 'start this kernel, a bzImage, in a virtual machine; without it, here');

export const isOnKernel = ({ subject, vm }: SubjectOptions): boolean => {
  if (subject === 'emulator' && vm !== undefined) {
    throw new BadUse('--vm starts a kernel, which --subject emulator does not use: leave out one.');
  }
  return subject === 'kernel' || vm !== undefined;
};

/** The platforms that the options choose: by default, every platform of virtual machines. */
export const kernelPlatforms = ({
  vm,
  platform,
}: SubjectOptions & SettingOptions): readonly (VmPlatform | undefined)[] => {
  if (vm === undefined) {
    if (platform === undefined) return [undefined];
    throw new BadUse('--platform chooses the devices of a virtual machine: use it with --vm.');
  }
  if (platform === undefined) return USUAL_PLATFORMS;
  const chosen = VM_PLATFORMS.filter((name) => name === platform);
  if (chosen.length > 0) return chosen;
  throw new BadUse(`A virtual machine is ${VM_PLATFORMS.join(', ')}, not ${platform}.`);
};

/** A limit that many programs reach exactly. */
const FEW_PAGES = 12;

/**
 * The credentials of programs: in a virtual machine, with privilege and without, because only unprivileged programs
 * have a limit. Only with privilege if devices have no IOMMU: opening them needs it.
 */
export const kernelCredentials = (
  options: SubjectOptions & SettingOptions,
  platform: VmPlatform | undefined,
): readonly Credentials[] => {
  const asked = credentialsOf(options);
  return platform !== undefined && platform !== 'noiommu' && asked.privileged
    ? [asked, credentialsOf({ unprivileged: true, memlock: FEW_PAGES })]
    : [asked];
};

export const subjectText = ({
  vm,
}: SubjectOptions): { readonly subject: string; readonly replay: string } =>
  vm === undefined
    ? { subject: "this machine's kernel", replay: 'iommufd-spec replay --subject kernel' }
    : { subject: `the kernel ${vm}`, replay: `iommufd-spec replay --subject kernel --vm ${vm}` };

/** A user without capabilities. */
const NOBODY = 65_534;

/** The release that a kernel is judged by: the requested one, else its own, else a fallback. */
type Releases = { readonly asked?: ReleaseName; readonly otherwise?: ReleaseName };

/** The setting that programs on a machine are judged by. Throws EnvironmentError if its kernel is not specified. */
const settingOfMachine = (
  machine: MachineDescription,
  credentials: Credentials,
  { asked, otherwise }: Releases,
): Setting => {
  const own = versionOf(machine.release) === undefined ? undefined : machine.release;
  const release = asked ?? own ?? otherwise;
  if (release === undefined) {
    throw new EnvironmentError(
      `The kernel is ${machine.release}, which is no version of Linux from 6.2 on. Choose one with --release.`,
    );
  }
  return { release, platform: platformOfMachine(machine), credentials };
};

/** Checks how many locked pages a trace asks for: too many would exhaust the machine. Throws BadUse. */
const requireLockable = (pages: number): void => {
  try {
    checkLockedPages(pages);
  } catch (error) {
    if (error instanceof UnsafeCall) throw new BadUse(error.message);
    throw error;
  }
};

type StartedKernel = { readonly subject: KernelSubject; readonly setting: Setting };

/** Starts a machine, which the caller closes. Rejects with EnvironmentError if it cannot be started. */
export const startKernel = async (
  { vm }: SubjectOptions,
  platform: VmPlatform | undefined,
  credentials: Credentials,
  releases: Releases = {},
  kernelArguments: readonly string[] = [],
): Promise<StartedKernel> => {
  const { KernelSubject } = await import('../subjects/kernel/subject.ts');
  const target =
    vm === undefined
      ? ({ kind: 'local' } as const)
      : ({ kind: 'vm', image: vm, platform: platform ?? 'mock', kernelArguments } as const);
  const { privileged, memlockLimit, lockedBefore } = credentials;
  requireLockable(lockedBefore ?? 0);
  const subject = new KernelSubject(target, {
    ...(privileged ? {} : { unprivileged: { id: NOBODY, memlockLimit: String(memlockLimit) } }),
    ...(lockedBefore === undefined ? {} : { lockedBefore }),
  });
  try {
    return { subject, setting: settingOfMachine(await subject.start(), credentials, releases) };
  } catch (error) {
    await subject.close();
    throw error;
  }
};

/** Groups the traces whose settings need the same virtual machine and the same user. */
export const sameMachine = <T>(
  all: readonly T[],
  settingOf: (one: T) => Setting,
): readonly (readonly T[])[] => {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const setting = settingOf(one);
    const { privileged, memlockLimit } = setting.credentials;
    const key = `${vmPlatformOf(setting.platform)} ${privileged} ${memlockLimit}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
};

/**
 * Starts a kernel for programs that were made for the setting `reported`. They are judged by the kernel's own release,
 * or by that of `reported` if its own is not specified. The caller closes it.
 */
export const startKernelFor = (
  options: SubjectOptions,
  reported: Setting,
): Promise<StartedKernel> =>
  startKernel(options, vmPlatformOf(reported.platform), reported.credentials, {
    otherwise: reported.release,
  });

/** Calls `use` with such a kernel, and closes it. */
export const withKernelFor = async <T>(
  options: SubjectOptions,
  reported: Setting,
  use: (kernel: StartedKernel) => Promise<T>,
): Promise<T> => {
  const kernel = await startKernelFor(options, reported);
  try {
    return await use(kernel);
  } finally {
    await kernel.subject.close();
  }
};

/** A program that did not run to its end proves nothing. Throws BadUse if the subject refused an operation. */
export const requireWhole = (
  run: {
    readonly steps: readonly unknown[];
    readonly failure: unknown;
    readonly refused: string | undefined;
  },
  file?: string,
): void => {
  if (run.refused === undefined || run.failure !== undefined) return;
  const where = file === undefined ? '' : `${file}: `;
  throw new BadUse(
    `${where}Operation ${run.steps.length + 1}  is refused on a kernel, for safety: ${run.refused}`,
  );
};
