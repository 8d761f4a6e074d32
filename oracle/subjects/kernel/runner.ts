// SPDX-License-Identifier: MIT
// Runs programs on this machine's kernel and returns the results. It is started in a virtual machine, or on this
// machine as root, and uses one channel: frames of a length (u32) and so many bytes.

import { openSync, readSync, writeSync } from 'node:fs';
import { EnvironmentError } from '../../vm/environment-error.ts';
import { Executor } from './executor.ts';
import { reserveHole } from './hole.ts';
import { KernelLog } from './kernel-log.ts';
import * as libc from './libc.ts';
import { KernelMachine } from './machine.ts';
import { describeMachine } from './machine-description.ts';
import { PROGRESS_WORDS, type RunnerOptions } from './runner-options.ts';

const PAGE = 4096;
const CANNOT_RUN = 3;
const PRIVATE_MEMORY = libc.MAP_PRIVATE | libc.MAP_ANONYMOUS;

/** First: an EnvironmentError ends the runner with that exit status. */
try {
  reserveHole();
} catch (error) {
  if (!(error instanceof EnvironmentError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(CANNOT_RUN);
}

const options = JSON.parse(process.argv[2] ?? '{}') as RunnerOptions;
const channel =
  typeof options.channel === 'number' ? options.channel : openSync(options.channel, 'r+');

/** False if the other end has closed. */
const receive = (bytes: Uint8Array): boolean => {
  for (let done = 0; done < bytes.length; ) {
    const count = readSync(channel, bytes, done, bytes.length - done, null);
    if (count <= 0) return false;
    done += count;
  }
  return true;
};

const sendAll = (bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length; ) done += writeSync(channel, bytes, done);
};

const head = new Uint32Array(1);
const headBytes = new Uint8Array(head.buffer);

const send = (bytes: Uint8Array): void => {
  head[0] = bytes.length;
  sendAll(headBytes);
  sendAll(bytes);
};

const mapProgress = (path: string): Int32Array => {
  const fd = libc.openFile(path, libc.O_RDWR | libc.O_CLOEXEC);
  const address = libc.mapMemory(0, PAGE, libc.PROT_READ_WRITE, libc.MAP_SHARED, fd, 0);
  if (fd < 0 || Number(address) < 0) {
    throw new Error(`${path} cannot be mapped (errno ${libc.errno()}).`);
  }
  return new Int32Array(libc.memoryAt(BigInt(address), PROGRESS_WORDS * 4));
};

const dropPrivileges = ({ id, memlockLimit }: { id: number; memlockLimit: string }): void => {
  const limit = new BigUint64Array(2).fill(BigInt(memlockLimit));
  if (libc.setLimit(0, libc.RLIMIT_MEMLOCK, limit, null) < 0) {
    throw new Error(`RLIMIT_MEMLOCK cannot be set (errno ${libc.errno()}).`);
  }
  process.setgroups?.([]);
  process.setgid?.(id);
  process.setuid?.(id);
};

const lockMemory = (pages: number): void => {
  const length = pages * PAGE;
  const address = libc.mapMemory(0, length, libc.PROT_READ_WRITE, PRIVATE_MEMORY, -1, 0);
  if (Number(address) < 0 || libc.lockMemory(address, length) < 0) {
    throw new Error(`${pages} pages cannot be locked (errno ${libc.errno()}).`);
  }
};

const log = new KernelLog();
const progress = mapProgress(options.progress);
const description = describeMachine(options.deviceMemory !== undefined);
const machine = new KernelMachine(options);
if (options.lockedBefore !== undefined) lockMemory(options.lockedBefore);
if (options.unprivileged !== undefined) dropPrivileges(options.unprivileged);
const executor = new Executor(machine, log, progress, {
  logEveryCall: options.logEveryCall ?? false,
});
send(Buffer.from(JSON.stringify(description)));
while (receive(headBytes)) {
  const batch = new Int32Array((head[0] ?? 0) / 4);
  if (!receive(new Uint8Array(batch.buffer))) break;
  send(executor.run(batch));
}
