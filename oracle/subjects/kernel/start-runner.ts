// SPDX-License-Identifier: MIT
// Starts the runner: in a virtual machine, or as a child of this process.

import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { EnvironmentError } from '../../vm/environment-error.ts';
import { GUEST_DEVICE_MEMORY, GUEST_PORT, quoted } from '../../vm/guest-init.ts';
import { DEVICE_MEMORY_LENGTH, type VmPlatform } from '../../vm/qemu.ts';
import { startVm } from '../../vm/vm.ts';
import type { Runner } from './link.ts';
import type { RunnerOptions } from './runner-options.ts';

export type VmTarget = {
  readonly kind: 'vm';
  /** The kernel, a bzImage. */
  readonly image: string;
  readonly platform: VmPlatform;
  /** MiB. */
  readonly memory?: number;
  readonly kernelArguments?: readonly string[];
};

export type LocalTarget = {
  readonly kind: 'local';
  /** Groups and devices that programs may open, in addition to the containers: "/dev/vfio/7". None by default. */
  readonly devices?: readonly string[];
};

/** A kernel in a virtual machine, or the one of this machine. */
export type KernelTarget = VmTarget | LocalTarget;

/** The runner's options, except the paths of its files. */
export type RunnerSettings = Pick<RunnerOptions, 'logEveryCall' | 'unprivileged' | 'lockedBefore'>;

const RUNNER = fileURLToPath(new URL('./runner.js', import.meta.url));
/** The device memory's first pages are the runner's: its progress. */
const PROGRAMS_DEVICE_MEMORY = 0x1_0000;
const CHANNEL_FD = 3;
const CONTAINERS = ['/dev/iommu', '/dev/vfio/vfio'];
const SAID_LENGTH = 6000;

/** The guest's kernel must not place mappings in the hole around the arena. */
const FIXED_PLACES = 'echo 0 > /proc/sys/kernel/randomize_va_space';

const requireCompiled = (): void => {
  if (!existsSync(RUNNER)) {
    throw new EnvironmentError(`The runner is not compiled (${RUNNER} is missing): npm run build`);
  }
};

const startInVm = async (target: VmTarget, settings: RunnerSettings): Promise<Runner> => {
  const options: RunnerOptions = {
    ...settings,
    channel: GUEST_PORT,
    progress: GUEST_DEVICE_MEMORY,
    deviceMemory: {
      path: GUEST_DEVICE_MEMORY,
      start: PROGRAMS_DEVICE_MEMORY,
      end: DEVICE_MEMORY_LENGTH,
    },
  };
  const words = [process.execPath, RUNNER, JSON.stringify(options)];
  const vm = await startVm({
    ...target,
    job: `${FIXED_PLACES}; ${words.map(quoted).join(' ')} > /dev/ttyS0 2>&1`,
  });
  return {
    port: vm.port,
    progress: vm.deviceMemory,
    ended: vm.ended.then(({ console }) => console),
    kill: vm.kill,
  };
};

const requireDevices = (): void => {
  const found = CONTAINERS.filter((path) => existsSync(path));
  if (found.length === 0) {
    throw new EnvironmentError(
      "This machine's kernel has neither /dev/iommu nor /dev/vfio/vfio. " +
        'Use a kernel in a virtual machine (--vm IMAGE), or one with CONFIG_IOMMUFD.',
    );
  }
  for (const path of found) {
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
    } catch {
      throw new EnvironmentError(`${path} may not be opened: run as root, or use --vm IMAGE.`);
    }
  }
};

const startHere = async ({ devices }: LocalTarget, settings: RunnerSettings): Promise<Runner> => {
  requireDevices();
  const folder = mkdtempSync(join(tmpdir(), 'iommufd-spec-runner-'));
  const progress = join(folder, 'progress');
  writeFileSync(progress, Buffer.alloc(4096));
  const paths = [...CONTAINERS, ...(devices ?? [])];
  const options: RunnerOptions = { ...settings, channel: CHANNEL_FD, progress, paths };
  // Loaded here only: the emulator also runs on machines without these calls of the C library.
  const { withoutAslr } = await import('./without-aslr.ts');
  const child = withoutAslr(() =>
    spawn(process.execPath, [RUNNER, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    }),
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => {
      said = (said + data.toString()).slice(-SAID_LENGTH);
    });
  }
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', kill);
  const ended = new Promise<string>((settle) => {
    child.once('close', (status, signal) => {
      process.off('exit', kill);
      rmSync(folder, { recursive: true, force: true });
      settle(`${said}\nThe runner ended with ${signal ?? `status ${status}`}.`.trim());
    });
  });
  return { port: child.stdio[CHANNEL_FD] as Duplex, progress, ended, kill };
};

/** Throws EnvironmentError if something that the target needs is missing. */
export const startRunner = async (
  target: KernelTarget,
  settings: RunnerSettings,
): Promise<Runner> => {
  requireCompiled();
  return target.kind === 'vm' ? startInVm(target, settings) : startHere(target, settings);
};
