// SPDX-License-Identifier: MIT
// The imports between rooms, as the READMEs list them.

import { type Import, importsOf, sources } from './imports.ts';
import { LAYERS, type Room } from './layers.ts';

const ROOMS: readonly Room[] = LAYERS.flat();

/** The room with the longest folder that holds the file. */
export const roomOf = (file: string): Room | undefined =>
  ROOMS.filter(({ folder }) => file.startsWith(`${folder}/`)).sort(
    (a, b) => b.folder.length - a.folder.length,
  )[0];

/** An entry of the package names what others may import: it is outside the layers, and nothing imports it. */
export const isEntry = (file: string): boolean => file.endsWith('/index.ts');

export const FILES: readonly string[] = sources();

export const IMPORTS: readonly Import[] = FILES.flatMap(importsOf);

/** The last line of a room's README. */
export const importsSentence = ({ folder }: Room): string => {
  const others = new Set<string>();
  for (const { from, to } of IMPORTS) {
    if (isEntry(from) || roomOf(from)?.folder !== folder) continue;
    const other = roomOf(to)?.folder;
    if (other !== undefined && other !== folder) others.add(other);
  }
  const list = ROOMS.filter((room) => others.has(room.folder)).map((room) => `\`${room.folder}\``);
  return list.length === 0 ? 'Imports no other room.' : `Imports ${list.join(', ')}.`;
};
