// SPDX-License-Identifier: MIT
// The handles of a world that a program can name, in an order independent of their numbers: by kind, then by group or device,
// then by when the program got them.

import type { Fd, ObjectId } from '../../spec/abi/units.ts';
import { valueAt } from '../../spec/collections/ordered-map.ts';
import type { Context, IommufdObject } from '../../spec/state/context.ts';
import type { FileId } from '../../spec/state/files.ts';
import { fileAt, type OpenFile, openFile, type World } from '../../spec/state/world.ts';
import { type Order, PROCESS } from './order.ts';

export type OpenDescriptor = { readonly fd: number; readonly id: FileId; readonly file: OpenFile };

export const FILE_RANKS: Readonly<Record<OpenFile['kind'], number>> = {
  iommufd: 0,
  container: 1,
  group: 2,
  device: 3,
  cdev: 4,
  access: 5,
  memfd: 6,
  unspecified: 7,
};

/** Distinguishes files of one kind: the group or the device. */
const whichOf = (file: OpenFile): string | number => {
  if (file.kind === 'group') return file.group;
  return file.kind === 'device' || file.kind === 'cdev' ? file.name : 0;
};

const inOrder = (a: OpenDescriptor, b: OpenDescriptor): number => {
  const ranks = FILE_RANKS[a.file.kind] - FILE_RANKS[b.file.kind];
  if (ranks !== 0) return ranks;
  const [one, other] = [whichOf(a.file), whichOf(b.file)];
  return one < other ? -1 : one > other ? 1 : 0;
};

/** The descriptors of the program, by the file's kind, its group or device, and when it was opened. */
export const descriptorsInOrder = (world: World, order: Order): readonly OpenDescriptor[] => {
  const found = order.descriptors.map((fd) => {
    const id = fileAt(world, PROCESS, fd as Fd);
    const file = id === undefined ? undefined : openFile(world, id);
    if (id === undefined || file === undefined) {
      throw new Error(`The file of descriptor ${fd} is gone.`);
    }
    return { fd, id, file };
  });
  return found.length > 1 ? found.sort(inOrder) : found;
};

export type NamedObject = { readonly id: ObjectId; readonly object: IommufdObject };

export const OBJECT_RANKS: Readonly<Record<IommufdObject['kind'], number>> = {
  ioas: 0,
  hwpt: 1,
  device: 2,
  selftest: 3,
  access: 4,
  unspecified: 5,
};

const byKind = (a: NamedObject, b: NamedObject): number =>
  OBJECT_RANKS[a.object.kind] - OBJECT_RANKS[b.object.kind];

/** The objects of an iommufd, by kind, then by when they were made. */
export const objectsInOrder = (context: Context, order: Order): readonly NamedObject[] => {
  const ids = order.objects.get(context.file);
  if (ids === undefined) return [];
  const found = ids.map((id) => ({ id, object: valueAt(context.objects, id) as IommufdObject }));
  return found.length > 1 ? found.sort(byKind) : found;
};

/** The position of an object among those, from 1 on; 0 if none has that id. */
export const positionOf = (objects: readonly NamedObject[], id: ObjectId): number => {
  for (let at = 0; at < objects.length; at += 1) if (objects[at]?.id === id) return at + 1;
  return 0;
};
