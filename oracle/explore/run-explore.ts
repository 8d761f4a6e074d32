// SPDX-License-Identifier: MIT
// One exploration: an action set in a setting, checked against all laws, in slices so that the caller can stop it.

import { setImmediate } from 'node:timers/promises';
import {
  type Counts,
  Exploration,
  type Position,
  type Saved,
  type Shard,
} from '../../model/explorer/explore.ts';
import { ARENA_BASE } from '../../model/programs/arena.ts';
import type { Program } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { Trace } from '../trace/trace-file.ts';
import type { Action, ActionSet } from './actions.ts';
import { STATE_LAWS } from './laws.ts';
import { programOf } from './program-of.ts';
import { type State, type Step, WorldModel } from './world-model.ts';

export type ExploreOptions = {
  readonly actionSet: ActionSet;
  readonly setting: Setting;
  /** Calls in a program, at most. */
  readonly depth: number;
  /** Distinct states, at most. */
  readonly states: number;
  /** Milliseconds, at most. */
  readonly time: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  readonly earlier?: Earlier;
  readonly shard?: Shard;
  readonly saving?: Saving;
  /** The specification; tests inject defects into it. */
  readonly step?: Step;
};

/** Saves the exploration from time to time, so that a killed process loses little. */
export type Saving = {
  /** Milliseconds between two saves, at least. */
  readonly every: number;
  /** The exploration waits for it. */
  readonly save: (explored: Explored) => Promise<void>;
};

export type Progress = Counts & { readonly statesPerSecond: number; readonly rules: number };

/** A saved exploration and its counts. */
export type Earlier = {
  readonly saved: Saved;
  readonly rules: ReadonlySet<string>;
  readonly unspecified: number;
  readonly seconds: number;
};

export type BrokenLaw = { readonly law: string; readonly how: string; readonly program: Program };

export type ExploreReport = {
  readonly actionSet: string;
  readonly setting: Setting;
  /** Calls in a program, at most. */
  readonly depth: number;
  /** The part of the programs that was explored; absent: all. */
  readonly shard?: Shard;
  /** Parts, from 1 on, that a merged report lacks. */
  readonly without?: readonly number[];
  readonly counts: Counts;
  /** In this run and the saved runs before it. */
  readonly seconds: number;
  /** In this run. */
  readonly statesPerSecond: number;
  /** Ids of the rules that answered. */
  readonly rules: ReadonlySet<string>;
  /** Unspecified calls; the explorer does not continue after them. */
  readonly unspecified: number;
  readonly broken: BrokenLaw | undefined;
  readonly ended: 'whole' | 'depth' | 'states' | 'broken' | 'time' | 'interrupted';
};

export type Explored = {
  readonly report: ExploreReport;
  /** For saving and resuming. */
  readonly at: Position;
  readonly bytes: () => Iterable<Uint8Array>;
};

/** Milliseconds between two checks whether to stop. */
const SLICE = 100;

/** Exploring takes at least this many times as long as saving. */
const SAVING_SHARE = 20;

export const runExplore = async (options: ExploreOptions): Promise<Explored> => {
  const { actionSet, setting, earlier, signal } = options;
  const rules = new Set(earlier?.rules);
  let unspecified = earlier?.unspecified ?? 0;
  const model = new WorldModel({
    setting,
    actions: actionSet.actions,
    ...(options.step === undefined ? {} : { step: options.step }),
    onAnswer: (rule) => {
      if (rule === undefined) unspecified += 1;
      else rules.add(rule);
    },
  });
  const start = performance.now();
  let sliceEnd = start + SLICE;
  let saveAt = start + (options.saving?.every ?? Number.POSITIVE_INFINITY);
  const exploration = new Exploration<State, Action>(model, {
    laws: STATE_LAWS,
    bounds: { depth: options.depth, states: options.states },
    onProgress: () => performance.now() < Math.min(sliceEnd, saveAt),
    ...(earlier === undefined ? {} : { saved: earlier.saved }),
    ...(options.shard === undefined ? {} : { shard: options.shard }),
  });
  const first = exploration.counts.distinct;
  const spent = (): number => performance.now() - start;
  const speed = (): number => Math.round(((exploration.counts.distinct - first) / spent()) * 1000);
  let explored = exploration.run();
  /** The exploration so far; `stopped` is the reason if it was stopped. */
  const soFar = (stopped: 'interrupted' | 'time'): Explored => {
    const { counts, broken, ended } = explored;
    return {
      report: {
        actionSet: actionSet.name,
        setting,
        depth: options.depth,
        ...(options.shard === undefined ? {} : { shard: options.shard }),
        counts,
        seconds: (earlier?.seconds ?? 0) + spent() / 1000,
        statesPerSecond: speed(),
        rules,
        unspecified,
        broken: broken && {
          law: broken.law,
          how: broken.how,
          program: programOf(model, broken.actions, broken.states),
        },
        ended: ended === 'stopped' ? stopped : ended,
      },
      at: exploration.at,
      bytes: () => exploration.bytes(),
    };
  };
  while (explored.ended === 'stopped' && !signal.aborted && spent() < options.time) {
    options.onProgress?.({ ...explored.counts, statesPerSecond: speed(), rules: rules.size });
    await setImmediate();
    const now = performance.now();
    if (options.saving !== undefined && now >= saveAt) {
      await options.saving.save(soFar('interrupted'));
      const after = performance.now();
      saveAt = after + Math.max(options.saving.every, (after - now) * SAVING_SHARE);
    }
    sliceEnd = performance.now() + SLICE;
    explored = exploration.run();
  }
  return soFar(signal.aborted ? 'interrupted' : 'time');
};

/** The program that breaks a law, as a trace. It has no failure, because no reply is wrong. */
export const traceOfBroken = ({ setting, broken }: ExploreReport): Trace | undefined =>
  broken && {
    header: { setting, arena: ARENA_BASE, seed: undefined, subject: 'specification', defects: [] },
    operations: broken.program.map((operation) => ({ operation, step: undefined })),
    failure: undefined,
  };
