// SPDX-License-Identifier: MIT
// The explorations of one `explore`: action sets in settings, or a saved exploration.

import type { Shard } from '../../model/explorer/explore.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { ACTION_SETS } from '../explore/action-sets/all.ts';
import type { ActionSet } from '../explore/actions.ts';
import type { Earlier } from '../explore/run-explore.ts';
import type { SavedExploration } from '../explore/saved-file.ts';
import { BadUse } from './bad-use.ts';
import { type SettingOptions, settingsFor } from './settings.ts';

export type ExploreOptions = SettingOptions & {
  readonly actions?: readonly string[];
  readonly depth?: number;
  readonly states: number;
  readonly seconds?: number;
  readonly save?: string;
  /** Seconds. */
  readonly saveEvery?: number;
  readonly resume?: string;
  readonly shard?: Shard;
  readonly program: string;
  readonly json?: true;
  readonly verbose?: true;
};

/** The explorations, one after the other. */
export type Task = {
  readonly actionSet: ActionSet;
  readonly setting: Setting;
  readonly depth: number;
  readonly shard?: Shard;
  readonly earlier?: Earlier;
  readonly close?: () => void;
};

/** Opens it; its states are read when it, or a merge with others, continues. Rejects with BadInput. */
export const savedIn = async (path: string): Promise<SavedExploration> => {
  const { openExploration } = await import('../explore/saved-file.ts');
  return openExploration(path, ACTION_SETS);
};

const fresh = (options: ExploreOptions): readonly Task[] => {
  const { actions: names, unprivileged, memlock } = options;
  const isPrivileged = unprivileged !== true && memlock === undefined;
  return ACTION_SETS.filter(({ name }) => names?.includes(name) ?? true).flatMap((actionSet) =>
    settingsFor({ ...options, platform: options.platform ?? actionSet.platform })
      .filter(({ credentials }) => credentials.privileged === isPrivileged)
      .map((setting) => ({
        actionSet,
        setting,
        depth: options.depth ?? actionSet.depth,
        ...(options.shard === undefined ? {} : { shard: options.shard }),
      })),
  );
};

const resumed = async (path: string, options: ExploreOptions): Promise<readonly Task[]> => {
  const { actions, release, platform, unprivileged, memlock, shard } = options;
  const reported = [actions, release, platform, unprivileged, memlock, shard];
  if (reported.some((given) => given !== undefined)) {
    throw new BadUse(
      '--resume continues a saved exploration: leave out the options that choose what to explore.',
    );
  }
  const saved = await savedIn(path);
  const { depth = saved.depth } = options;
  if (saved.broken !== undefined) {
    saved.close();
    throw new BadUse(`The saved exploration broke a law: ${saved.broken.law}.`);
  }
  if (saved.shard !== undefined && depth !== saved.depth) {
    saved.close();
    throw new BadUse(`Part of an exploration keeps its depth, ${saved.depth} calls.`);
  }
  return [{ ...saved, depth }];
};

/** Throws BadUse where the options name several explorations and one file. */
export const tasksOf = async (options: ExploreOptions): Promise<readonly Task[]> => {
  const { resume, save, saveEvery } = options;
  if (saveEvery !== undefined && save === undefined) {
    throw new BadUse('--save-every is the interval between saves: name the file with --save.');
  }
  const tasks = resume === undefined ? fresh(options) : await resumed(resume, options);
  if (save !== undefined && tasks.length > 1) {
    throw new BadUse('--save takes one exploration: name one --actions and one --release.');
  }
  return tasks;
};
