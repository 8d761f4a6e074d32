// SPDX-License-Identifier: MIT
// What the project's files import of each other, read from their text.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Import = {
  /** Paths from the project's root. */
  readonly from: string;
  readonly to: string;
  /** Types alone, which are gone when the code runs. */
  readonly isType: boolean;
};

const AREAS = ['spec', 'model', 'oracle', 'properties'] as const;

const IMPORT = /^(?:import|export)\s+(type\s)?[^;']*?from\s+'(\.[^']+)';/gms;

/** Every source of the four areas, in order. */
export const sources = (): readonly string[] =>
  AREAS.flatMap((area) =>
    readdirSync(area, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(area, file)),
  ).sort();

export const importsOf = (from: string): readonly Import[] =>
  [...readFileSync(from, 'utf8').matchAll(IMPORT)].map(([, type, name]) => ({
    from,
    to: join(from, '..', name as string),
    isType: type !== undefined,
  }));
