// SPDX-License-Identifier: MIT
// The laws that the explorer checks in every state.

import type { Law } from '../../model/explorer/model.ts';
import { CLOSING_LAW } from '../../model/laws/closing.ts';
import { CONTAINER_LAWS } from '../../model/laws/containers.ts';
import type { WorldLaw } from '../../model/laws/law.ts';
import { OWNERSHIP_LAWS } from '../../model/laws/ownership.ts';
import { PINNED_LAWS } from '../../model/laws/pinned.ts';
import { TABLE_LAWS } from '../../model/laws/tables.ts';
import { TRANSLATION_LAWS } from '../../model/laws/translation.ts';
import type { State } from './world-model.ts';

export const WORLD_LAWS: readonly WorldLaw[] = [
  ...TABLE_LAWS,
  ...TRANSLATION_LAWS,
  ...PINNED_LAWS,
  ...OWNERSHIP_LAWS,
  ...CONTAINER_LAWS,
  CLOSING_LAW,
];

const stepLaw: Law<State> = {
  name: 'a law of steps',
  contradiction: ({ broken }) =>
    broken === undefined ? undefined : `${broken.law}: ${broken.how}`,
};

export const STATE_LAWS: readonly Law<State>[] = [
  stepLaw,
  ...WORLD_LAWS.map(({ name, contradiction }) => ({
    name,
    contradiction: ({ world }: State) => contradiction(world),
  })),
];
