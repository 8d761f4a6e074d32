// SPDX-License-Identifier: MIT
// What a path names that is to be written: a plain file, which is replaced; a stream, such as a pipe or a device, which is
// written into; or this process's own output. Links are followed, as a shell's `>` does.

import {
  accessSync,
  constants,
  lstatSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statfsSync,
  statSync,
} from 'node:fs';
import { basename, dirname, isAbsolute } from 'node:path';

export type PlainTarget = {
  readonly kind: 'plain';
  /** Of the file itself, behind all links. */
  readonly path: string;
  /** The file that is there now. */
  readonly before: Stats | undefined;
};

export type StreamTarget = {
  readonly kind: 'stream';
  readonly path: string;
  /** One with a name, which waits for its reader. */
  readonly isPipe: boolean;
  /** It may be a plain file that some process has open: what is in it stays. */
  readonly isDescriptor: boolean;
};

export type Target =
  | PlainTarget
  | StreamTarget
  | { readonly kind: 'output'; readonly output: 'stdout' | 'stderr' };

/** As many as the kernel follows. */
const MOST_LINKS = 40;
const PROC_SUPER_MAGIC = 0x9fa0;
const OWN_DESCRIPTOR = /^\/proc\/(\d+)(?:\/task\/\d+)?\/fd\/(\d+)$/;

/** A link below /proc leads to what a process has open, and its text is no path. */
const descriptorTarget = (path: string): Target => {
  const [, owner, number] = OWN_DESCRIPTOR.exec(path) ?? [];
  const isOurs = owner === `${process.pid}`;
  if (isOurs && number === '1') return { kind: 'output', output: 'stdout' };
  if (isOurs && number === '2') return { kind: 'output', output: 'stderr' };
  return { kind: 'stream', path, isPipe: false, isDescriptor: true };
};

const targetAt = (path: string, found: Stats | undefined): Target => {
  if (found === undefined) return { kind: 'plain', path, before: undefined };
  if (found.isFile()) {
    // It could be replaced without this right, but whoever took the right away did not mean that.
    accessSync(path, constants.W_OK);
    return { kind: 'plain', path, before: found };
  }
  if (found.isDirectory()) throw new Error('it is a folder');
  if (found.isBlockDevice()) throw new Error('it is a block device, and is not written to');
  return { kind: 'stream', path, isPipe: found.isFIFO(), isDescriptor: false };
};

/** Throws where the path cannot be written, and says why; changes nothing. */
export const targetOf = (path: string): Target => {
  if (path === '' || path.endsWith('/')) throw new Error('the name of a file is missing');
  // The kernel may forbid to follow a link that somebody else planted.
  statSync(path, { throwIfNoEntry: false });
  let at = path;
  for (let links = 0; links <= MOST_LINKS; links += 1) {
    const folder = realpathSync(dirname(at));
    const here = `${folder === '/' ? '' : folder}/${basename(at)}`;
    const found = lstatSync(here, { throwIfNoEntry: false });
    if (found?.isSymbolicLink() !== true) return targetAt(here, found);
    if (statfsSync(folder).type === PROC_SUPER_MAGIC) return descriptorTarget(here);
    const link = readlinkSync(here);
    at = isAbsolute(link) ? link : `${folder}/${link}`;
  }
  throw new Error('there are too many links');
};
