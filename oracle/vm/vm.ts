// SPDX-License-Identifier: MIT
// Starts a kernel in QEMU with a job inside, and reports when and how it ended. Nothing in the machine outlives it.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd } from '../files/at-end.ts';
import { type Accelerator, findAccelerator, giveUpKvm, QEMU } from './accelerator.ts';
import { EnvironmentError } from './environment-error.ts';
import { initScript, READY_FILE, STATUS_FILE } from './guest-init.ts';
import { DEVICE_MEMORY_LENGTH, qemuArguments, type VmFiles, type VmPlatform } from './qemu.ts';

export type VmOptions = {
  /** The kernel, a bzImage. */
  readonly image: string;
  readonly platform: VmPlatform;
  /** A shell command line that the guest runs before it powers off. */
  readonly job: string;
  /** MiB; 2048 by default. */
  readonly memory?: number;
  readonly processors?: number;
  readonly kernelArguments?: readonly string[];
  /** Further files of the private folder, which the guest sees under the same path: name to text. */
  readonly files?: Readonly<Record<string, string>>;
};

export type VmEnd = {
  /** QEMU's messages, and the last lines of the console. */
  readonly console: string;
  /** The job's exit status, if it ended. */
  readonly status: number | undefined;
};

export type Vm = {
  readonly accelerator: Accelerator;
  /** The private folder; gone when the machine has ended. */
  readonly folder: string;
  readonly deviceMemory: string;
  /** Bytes to and from the guest's GUEST_PORT. */
  readonly port: Socket;
  /** Settles when QEMU has ended. */
  readonly ended: Promise<VmEnd>;
  kill(): void;
};

const BUSYBOXES = ['/bin/busybox', '/usr/bin/busybox'];
const FOLDER = /^iommufd-spec-vm-([0-9]+)-/;
const CONNECT_ATTEMPTS = 200;
const CONNECT_PAUSE_MS = 25;
const CONSOLE_TAIL = 6000;
const KVM_PATIENCE_MS = 15_000;
const MEMORY = 2048;
const PROCESSORS = 2;

const findBusybox = (): string => {
  const found = BUSYBOXES.find((path) => existsSync(path));
  if (found === undefined) {
    throw new EnvironmentError(
      'busybox is not installed, and the virtual machine starts with it: apt-get install busybox',
    );
  }
  return found;
};

/** Removes the folders that killed processes of this user left. */
const removeStale = (): void => {
  for (const name of readdirSync(tmpdir())) {
    const [, owner] = FOLDER.exec(name) ?? [];
    if (owner === undefined || existsSync(`/proc/${owner}`)) continue;
    const folder = join(tmpdir(), name);
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found?.isDirectory() !== true || found.uid !== process.getuid?.()) continue;
    rmSync(folder, { recursive: true, force: true });
  }
};

const makeFiles = (options: VmOptions, busybox: string): VmFiles => {
  removeStale();
  const folder = mkdtempSync(join(tmpdir(), `iommufd-spec-vm-${process.pid}-`));
  const files: VmFiles = {
    folder,
    init: join(folder, 'init'),
    console: join(folder, 'console'),
    port: join(folder, 'port'),
    deviceMemory: join(folder, 'device-memory'),
  };
  for (const [name, text] of Object.entries(options.files ?? {})) {
    writeFileSync(join(folder, name), text, { mode: 0o755 });
  }
  const script = initScript(busybox, folder, options.platform, options.job);
  writeFileSync(files.init, script, { mode: 0o755 });
  writeFileSync(files.deviceMemory, '');
  truncateSync(files.deviceMemory, DEVICE_MEMORY_LENGTH);
  return files;
};

const isAlive = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode === null && signalCode === null;

/** QEMU makes the socket soon after it has started. */
const connectTo = async (path: string, child: ChildProcess): Promise<Socket> => {
  for (let attempt = 0; attempt < CONNECT_ATTEMPTS && isAlive(child); attempt += 1) {
    if (existsSync(path)) {
      const socket = connect(path);
      const result = await new Promise<'open' | 'refused'>((settle) => {
        socket.once('connect', () => settle('open'));
        socket.once('error', () => settle('refused'));
      });
      if (result === 'open') return socket;
    }
    await delay(CONNECT_PAUSE_MS);
  }
  throw new EnvironmentError(`${QEMU} did not start.`);
};

const tailOf = (path: string): string =>
  existsSync(path) ? readFileSync(path, 'latin1').slice(-CONSOLE_TAIL).trimEnd() : '';

const launch = async (options: VmOptions, accelerator: Accelerator): Promise<Vm> => {
  const files = makeFiles(options, findBusybox());
  const setup = {
    image: options.image,
    platform: options.platform,
    memory: options.memory ?? MEMORY,
    processors: options.processors ?? PROCESSORS,
    kernelArguments: options.kernelArguments ?? [],
  };
  const child = spawn(QEMU, qemuArguments(setup, files, accelerator), {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const isOver = atEnd(() => {
    child.kill('SIGKILL');
    rmSync(files.folder, { recursive: true, force: true });
  });
  let complaint = '';
  child.stderr.on('data', (data: Buffer) => {
    complaint += data.toString();
  });
  const ended = new Promise<VmEnd>((settle) => {
    child.once('close', () => {
      isOver();
      const said = [complaint.trim(), tailOf(files.console)].filter((text) => text !== '');
      const status = tailOf(join(files.folder, STATUS_FILE));
      rmSync(files.folder, { recursive: true, force: true });
      settle({
        console: said.join('\n'),
        status: status === '' ? undefined : Number(status),
      });
    });
  });
  try {
    const port = await connectTo(files.port, child);
    port.on('error', () => child.kill('SIGKILL'));
    return {
      accelerator,
      folder: files.folder,
      deviceMemory: files.deviceMemory,
      port,
      ended,
      kill: () => child.kill('SIGKILL'),
    };
  } catch (error) {
    child.kill('SIGKILL');
    const why = (await ended).console;
    throw new EnvironmentError(`${error instanceof Error ? error.message : error}\n${why}`);
  }
};

/** Whether the guest's first process starts in time. */
const comesUp = async (vm: Vm): Promise<boolean> => {
  let end: VmEnd | undefined;
  void vm.ended.then((how) => {
    end = how;
  });
  const deadline = Date.now() + KVM_PATIENCE_MS;
  while (Date.now() < deadline) {
    if (end !== undefined) return end.status !== undefined;
    if (existsSync(join(vm.folder, READY_FILE))) return true;
    await delay(CONNECT_PAUSE_MS);
  }
  vm.kill();
  await vm.ended;
  return false;
};

/** Undefined if a guest does not boot although the accelerator seemed to work. */
const launchWithKvm = async (options: VmOptions): Promise<Vm | undefined> => {
  try {
    const vm = await launch(options, 'kvm');
    return (await comesUp(vm)) ? vm : undefined;
  } catch (error) {
    if (error instanceof EnvironmentError) return undefined;
    throw error;
  }
};

/** The magic number of a bzImage at this offset. */
const BOOT_HEADER = { offset: 0x202, magic: 'HdrS' } as const;

/** Throws EnvironmentError where there is no bzImage of that name. */
export const requireImage = (path: string): void => {
  const image = resolve(path);
  if (!existsSync(image)) throw new EnvironmentError(`There is no kernel image at ${image}.`);
  const { offset, magic } = BOOT_HEADER;
  const bytes = Buffer.alloc(magic.length);
  if (statSync(image).isFile()) {
    try {
      const file = openSync(image, 'r');
      readSync(file, bytes, 0, magic.length, offset);
      closeSync(file);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new EnvironmentError(`The kernel image cannot be read: ${why}.`);
    }
  }
  if (bytes.toString('latin1') !== magic) {
    throw new EnvironmentError(
      `${image} is no kernel image: a bzImage is wanted, which a kernel's build leaves at arch/x86/boot/bzImage.`,
    );
  }
};

/** Throws EnvironmentError where QEMU, busybox or the image is missing, or QEMU refuses to start. */
export const startVm = async (wanted: VmOptions): Promise<Vm> => {
  const options = { ...wanted, image: resolve(wanted.image) };
  requireImage(options.image);
  if (findAccelerator() === 'kvm') {
    const vm = await launchWithKvm(options);
    if (vm !== undefined) return vm;
    giveUpKvm();
  }
  return launch(options, 'tcg');
};
