// SPDX-License-Identifier: MIT
// The table of layers as text: the highest layer first.

import { LAYERS, type Layer } from './layers.ts';

/** Where descriptions begin: behind the longest names of at most three rooms. */
const COLUMN = 42;

const areaOf = (layer: Layer): string => (layer[0]?.folder ?? '').split('/')[0] as string;

/** The room's name within its area. */
const nameOf = (folder: string, area: string): string =>
  folder === area ? area : folder.slice(area.length + 1);

const lineOf = (layer: Layer): string => {
  const area = areaOf(layer);
  const names = layer.map(({ folder }) => nameOf(folder, area)).join(' | ');
  const holds = layer.map(({ holds }) => holds).join(' | ');
  return layer.length > 3 ? `  ${names}` : `  ${names.padEnd(COLUMN)}${holds}`;
};

/** A line for each layer, those of an area under its name; rooms of one layer are next to each other. */
export const layersPicture = (): string => {
  const lines: string[] = [];
  let area = '';
  for (const layer of [...LAYERS].reverse()) {
    if (areaOf(layer) !== area) {
      area = areaOf(layer);
      lines.push(`${area}/`);
    }
    lines.push(lineOf(layer));
  }
  return lines.join('\n');
};
