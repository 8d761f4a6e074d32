// SPDX-License-Identifier: MIT
// A new file beside the one that it takes the place of when it is whole. Until then nothing under that name changes, and
// the new file is gone if it does not come to that.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { atEnd } from './at-end.ts';
import { reasonOf } from './reason.ts';
import type { PlainTarget } from './target.ts';

export type Replacement = {
  readonly descriptor: number;
  /** Under its name that nobody can foresee. */
  readonly path: string;
  /** Puts it in the file's place when all of it is on the disk. */
  readonly keep: () => Promise<void>;
  /** Lets it be, under a name beside the file's own, which is returned. */
  readonly putBeside: () => Promise<string>;
  readonly discard: () => void;
};

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_DIRECTORY } = constants;
const PERMISSIONS = 0o777;
/** Of the file's own name in that of the new one, which must not grow too long. */
const NAME_SHOWN = 60;

const synced = promisify(fsync);

/** As far as this process may: the owner of the file that was there, and in any case its permissions. */
const takeOver = (descriptor: number, { before }: PlainTarget): void => {
  if (before === undefined) return;
  try {
    fchownSync(descriptor, before.uid, before.gid);
  } catch {}
  fchmodSync(descriptor, before.mode & PERMISSIONS);
};

/** That the name is there also after the power failed. Some file systems do not know such a request. */
const syncFolder = (folder: string): void => {
  try {
    const descriptor = openSync(folder, O_RDONLY | O_DIRECTORY);
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {}
};

const openNew = (path: string, mode: number): number => {
  try {
    return openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  } catch (error) {
    throw new Error(`no file can be made in ${dirname(path)}: ${reasonOf(error)}`);
  }
};

/** `mode` are the permissions where there is no file yet. Throws, and changes nothing, where there can be no new file. */
export const beginReplacing = (target: PlainTarget, mode = 0o666): Replacement => {
  const folder = dirname(target.path);
  const name = basename(target.path).slice(0, NAME_SHOWN);
  const mark = randomBytes(9).toString('base64url');
  const path = join(folder, `.${name}.${mark}.tmp`);
  const descriptor = openNew(path, target.before === undefined ? mode : 0o600);
  const isOver = atEnd(() => rmSync(path, { force: true }));
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(descriptor);
    isOpen = false;
  };
  const moveTo = async (end: string): Promise<void> => {
    if (isOpen) {
      takeOver(descriptor, target);
      await synced(descriptor);
      close();
    }
    const there = lstatSync(end, { throwIfNoEntry: false });
    if (there?.isFile() === false) throw new Error('it was replaced while it was written');
    renameSync(path, end);
    isOver();
    syncFolder(folder);
  };
  return {
    descriptor,
    path,
    keep: () => moveTo(target.path),
    putBeside: async () => {
      const beside = join(folder, `${name}.${mark}.cut`);
      await moveTo(beside);
      return beside;
    },
    discard: () => {
      close();
      rmSync(path, { force: true });
      isOver();
    },
  };
};
