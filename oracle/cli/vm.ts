// SPDX-License-Identifier: MIT
// iommufd-spec vm: runs a command in a virtual machine with another kernel.

import type { Command } from 'commander';
import { VM_PLATFORMS, type VmPlatform } from '../vm/qemu.ts';
import { optionOf } from './did-you-mean.ts';

type Options = { readonly platform: VmPlatform };

const EXAMPLES = `
Examples:
  $ iommufd-spec vm bzImage -- uname -r
  $ iommufd-spec vm --platform vtd bzImage -- sh -c 'ls /dev/vfio; dmesg | tail'

The command runs as root, in the present folder. It sees the files of this machine; what it writes is gone with the
virtual machine. Exit status: that of the command, 3 no virtual machine can be started.`;

export const addVm = (program: Command): void => {
  program
    .command('vm')
    .description('run a command inside a virtual machine that runs another kernel')
    .argument('<image>', 'the kernel, a bzImage')
    .argument('<command...>', 'the command and its arguments, after --')
    .addOption(
      optionOf('--platform <platform>', 'the IOMMUs and devices of the machine', [
        ...VM_PLATFORMS,
        'shared',
      ]).default('mock'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (image: string, command: readonly string[], { platform }: Options) => {
      const { runVmCommand } = await import('../vm/command.ts');
      const { status } = await runVmCommand({ image, platform, command, output: process.stdout });
      process.exitCode = status;
    });
};
