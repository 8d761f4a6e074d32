// SPDX-License-Identifier: MIT
// Imports between folders: each file is in a room of the table, and imports lower layers only.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LAYERS, type Room } from '../helpers/layers.ts';
import { layersPicture } from '../helpers/layers-picture.ts';
import { FILES, IMPORTS, importsSentence, isEntry, roomOf } from '../helpers/room-imports.ts';

const ROOMS: readonly Room[] = LAYERS.flat();

const LAYER_OF: ReadonlyMap<string, number> = new Map(
  LAYERS.flatMap((layer, index) => layer.map(({ folder }) => [folder, index] as const)),
);

const layerOf = ({ folder }: Room): number => LAYER_OF.get(folder) as number;

const mayImport = (from: Room, to: Room): boolean =>
  from === to ||
  (layerOf(to) < layerOf(from) && (from.only === undefined || from.only.includes(to.folder)));

const layers = suite('layers');

layers('every file is in a room', () => {
  assert.equal(
    FILES.filter((file) => roomOf(file) === undefined && !isEntry(file)),
    [],
  );
});

layers('every room holds a file, and is named once', () => {
  const folders = ROOMS.map(({ folder }) => folder);
  assert.is(new Set(folders).size, folders.length);
  const held = new Set(FILES.map((file) => roomOf(file)?.folder));
  assert.equal(
    folders.filter((folder) => !held.has(folder)),
    [],
  );
});

layers('a room imports lower layers only', () => {
  const wrong = IMPORTS.filter(({ from, to }) => {
    const [room, other] = [roomOf(from), roomOf(to)];
    if (room === undefined || other === undefined || isEntry(from)) return false;
    return !mayImport(room, other);
  });
  assert.equal(
    wrong.map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

layers('nothing imports an entry of the package', () => {
  assert.equal(
    IMPORTS.filter(({ from, to }) => isEntry(to) && !isEntry(from)).map(({ from }) => from),
    [],
  );
});

/** Files that can be reached from themselves, by the room. */
const circlesIn = (room: Room): readonly string[] => {
  const next = new Map<string, string[]>();
  for (const { from, to } of IMPORTS) {
    if (roomOf(from) !== room || roomOf(to) !== room) continue;
    next.set(from, [...(next.get(from) ?? []), to]);
  }
  const reaches = (start: string): boolean => {
    const seen = new Set<string>();
    const open = [...(next.get(start) ?? [])];
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (file === start) return true;
      if (seen.has(file)) continue;
      seen.add(file);
      open.push(...(next.get(file) ?? []));
    }
    return false;
  };
  return [...next.keys()].filter(reaches);
};

layers('files import each other in circles only where the table says why', () => {
  for (const room of ROOMS) {
    const circles = circlesIn(room);
    if (room.circles === undefined) assert.equal(circles, [], room.folder);
    else assert.ok(circles.length > 0, `${room.folder} has no circles: the reason is stale`);
  }
});

layers("each room's README says what it imports", () => {
  for (const room of ROOMS) {
    const readme = join(room.folder, 'README.md');
    assert.ok(existsSync(readme), `${readme} is missing`);
    const last = readFileSync(readme, 'utf8').trimEnd().split('\n\n').at(-1);
    assert.is(last?.replaceAll('\n', ' '), importsSentence(room), readme);
  }
});

layers("the README's picture is made from the table", () => {
  assert.ok(
    readFileSync('README.md', 'utf8').includes(layersPicture()),
    `put this into the README:\n\n${layersPicture()}`,
  );
});

layers.run();
