// SPDX-License-Identifier: MIT
// The options of `check`, as commander returns them.

import type { DefectName } from '../../model/emulator/defects.ts';
import type { PathsOfCampaign } from '../../model/generate/paths.ts';
import type { Shard } from '../check/shard.ts';
import { isOnKernel, type SubjectOptions } from './kernel.ts';
import type { SettingOptions } from './settings.ts';

export type CheckOptions = SettingOptions &
  SubjectOptions & {
    readonly runs?: number;
    readonly seconds: number;
    readonly seed?: number;
    readonly length: number;
    readonly dma?: number;
    readonly paths: PathsOfCampaign;
    readonly guided?: boolean;
    readonly shard?: Shard;
    readonly cover?: true | string;
    readonly report?: string;
    readonly save: string;
    readonly defect?: readonly DefectName[];
    readonly json?: true;
    readonly ktap?: true;
    readonly verbose?: true;
  };

/** On a kernel, generating takes no time from the programs. A shard does not know which programs the others generated. */
export const isGuided = (options: CheckOptions): boolean =>
  options.shard === undefined && (options.guided ?? isOnKernel(options));

export const subjectOf = (options: CheckOptions): 'kernel' | 'emulator' =>
  isOnKernel(options) ? 'kernel' : 'emulator';
