// SPDX-License-Identifier: MIT
// Runs a command inside a virtual machine, under another kernel. The command sees the host's files; its writes go
// to memory and are lost when the machine ends.

import type { Writable } from 'node:stream';
import { EnvironmentError } from './environment-error.ts';
import { GUEST_PORT, quoted } from './guest-init.ts';
import type { VmPlatform } from './qemu.ts';
import { startVm } from './vm.ts';

export type VmCommand = {
  readonly image: string;
  readonly platform?: VmPlatform;
  readonly memory?: number;
  readonly kernelArguments?: readonly string[];
  /** The program and its arguments, as execvp takes them. */
  readonly command: readonly string[];
  /** The working directory; by default the host's. */
  readonly folder?: string;
  /** Gets the command's output, both streams. */
  readonly output?: Writable;
};

export type VmCommandResult = { readonly status: number; readonly output: string };

/** The root file system with a layer of memory over it, so that it can be written to. */
const WRITABLE_ROOT = '/dev/shm/root';
const writableRoot = [
  'mkdir -p /dev/shm/upper /dev/shm/work /dev/shm/root',
  `mount -t overlay overlay -o lowerdir=/,upperdir=/dev/shm/upper,workdir=/dev/shm/work ${WRITABLE_ROOT}`,
  `for each in proc sys dev; do mount --rbind /$each ${WRITABLE_ROOT}/$each; done`,
];

/** Rejects with EnvironmentError where the machine ended before the command did. */
export const runVmCommand = async (wanted: VmCommand): Promise<VmCommandResult> => {
  const folder = quoted(wanted.folder ?? process.cwd());
  const words = wanted.command.map(quoted).join(' ');
  const inside = `cd ${folder} && exec ${words}`;
  const vm = await startVm({
    ...wanted,
    platform: wanted.platform ?? 'mock',
    job: [
      ...writableRoot,
      `chroot ${WRITABLE_ROOT} /bin/sh -c ${quoted(inside)} > ${GUEST_PORT} 2>&1`,
    ].join('\n'),
  });
  const chunks: Buffer[] = [];
  vm.port.on('data', (data: Buffer) => {
    chunks.push(data);
    wanted.output?.write(data);
  });
  const { status, console } = await vm.ended;
  const output = Buffer.concat(chunks).toString();
  if (status === undefined) {
    throw new EnvironmentError(`The machine ended before the command did.\n${console}`);
  }
  return { status, output };
};
