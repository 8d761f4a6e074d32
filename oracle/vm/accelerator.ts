// SPDX-License-Identifier: MIT
// Finds the QEMU accelerator that works here. On some machines /dev/kvm opens but cannot run a guest, so eight
// bytes of guest code are tried: they write to the port of QEMU's exit device.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EnvironmentError } from './environment-error.ts';

export const QEMU = 'qemu-system-x86_64';

export type Accelerator = 'kvm' | 'tcg';

const EXIT_PORT = 0xf4;
const EXIT_VALUE = 0x10;
/** The exit device makes QEMU end with the value doubled, plus one. */
const EXIT_STATUS = EXIT_VALUE * 2 + 1;
const RESET_VECTOR = 0xfff0;
const ROM_LENGTH = 0x1_0000;
const PATIENCE_MS = 3000;

const rom = (): Uint8Array => {
  const bytes = new Uint8Array(ROM_LENGTH).fill(0xf4);
  // mov dx, port; mov al, value; out dx, al
  bytes.set([0xba, EXIT_PORT, 0x00, 0xb0, EXIT_VALUE, 0xee], RESET_VECTOR);
  return bytes;
};

const canOpenKvm = (): boolean => {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
};

const runsGuest = (): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'iommufd-spec-kvm-'));
  const file = join(folder, 'rom');
  writeFileSync(file, rom());
  const { status } = spawnSync(
    QEMU,
    [
      ...['-accel', 'kvm', '-cpu', 'host', '-machine', 'q35', '-m', '16', '-display', 'none'],
      ...['-nodefaults', '-bios', file, '-device', `isa-debug-exit,iobase=${EXIT_PORT},iosize=4`],
    ],
    { timeout: PATIENCE_MS, killSignal: 'SIGKILL', stdio: 'ignore' },
  );
  rmSync(folder, { recursive: true, force: true });
  return status === EXIT_STATUS;
};

let found: Accelerator | undefined;

/** Tried once in a process. Throws EnvironmentError where QEMU is missing. */
export const findAccelerator = (): Accelerator => {
  if (found !== undefined) return found;
  if (spawnSync(QEMU, ['--version'], { stdio: 'ignore' }).error !== undefined) {
    throw new EnvironmentError(
      `${QEMU} is not installed, and a virtual machine needs it: apt-get install qemu-system-x86`,
    );
  }
  found = canOpenKvm() && runsGuest() ? 'kvm' : 'tcg';
  return found;
};

/** A kernel did not boot with KVM although the eight bytes ran. */
export const giveUpKvm = (): void => {
  found = 'tcg';
};
