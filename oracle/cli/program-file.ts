// SPDX-License-Identifier: MIT
// A program to be run, from a file whose first lines say what it is: a trace, or a syzkaller program, which says neither
// what it runs on nor what came of it.

import { ARENA_BASE } from '../../model/programs/arena.ts';
import type { Program } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import {
  MOCK_PLATFORM,
  NOIOMMU_PLATFORM,
  platformNamed,
  VTD_PLATFORM,
} from '../../spec/terms/platforms.ts';
import { RELEASE_NAMES } from '../../spec/terms/releases.ts';
import { isStraceLine } from '../strace/recognise.ts';
import { isSyzLine } from '../syz/recognise.ts';
import { SyzReader } from '../syz/syz-reader.ts';
import { BadInput } from '../trace/bad-input.ts';
import { parseObject } from '../trace/json-object.ts';
import { type Line, textOf } from '../trace/line.ts';
import { linesOf } from '../trace/lines.ts';
import { type Trace, TraceReader } from '../trace/trace-file.ts';
import { BadUse } from './bad-use.ts';
import { credentialsOf, type SettingOptions } from './settings.ts';

export type ProgramFile = {
  /** Of a syzkaller program, one of which no operation was run. */
  readonly trace: Trace;
  readonly isSyz: boolean;
  /** What of the file is not as it says, and what is assumed: "file:line: what". */
  readonly notes: readonly string[];
};

const opens = (program: Program, pattern: RegExp): boolean =>
  program.some((operation) => operation.op === 'open' && pattern.test(operation.path));

/** The devices that the program opens say on what it can run, unless an option does. */
const settingFor = (program: Program, options: SettingOptions): Setting => {
  const fitting = opens(program, /noiommu-/)
    ? NOIOMMU_PLATFORM
    : opens(program, /^\/dev\/vfio\/(\d|devices\/)/)
      ? VTD_PLATFORM
      : MOCK_PLATFORM;
  const { platform, release } = options;
  return {
    release: release ?? (RELEASE_NAMES.at(-1) as (typeof RELEASE_NAMES)[number]),
    platform: (platform === undefined ? undefined : platformNamed(platform)) ?? fitting,
    credentials: credentialsOf(options),
  };
};

/** Traces and recordings have a setting. Throws BadUse where the options have another. */
export const requireNoSetting = (file: string, options: SettingOptions): void => {
  const { release, platform, unprivileged, memlock } = options;
  if ([release, platform, unprivileged, memlock].every((option) => option === undefined)) return;
  throw new BadUse(
    `${file} says itself what it ran on: --release, --platform, --unprivileged and --memlock are for ` +
      'syzkaller programs.',
  );
};

/** Takes the lines of a syzkaller program, and makes a trace of it, of which nothing was run. */
export class SyzFile {
  readonly #file: string;
  readonly #reader: SyzReader;

  constructor(file: string) {
    this.#file = file;
    this.#reader = new SyzReader(file);
  }

  /** Throws BadInput. */
  take(text: string): void {
    this.#reader.take(text);
  }

  /** Throws BadInput. */
  end(options: SettingOptions): ProgramFile {
    const { program, notes } = this.#reader.end();
    const setting = settingFor(program, options);
    return {
      trace: {
        header: { setting, arena: ARENA_BASE, seed: undefined, subject: undefined, defects: [] },
        operations: program.map((operation) => ({ operation, step: undefined })),
        failure: undefined,
      },
      isSyz: true,
      notes: notes.map(({ line, what }) => new BadInput(this.#file, line, what).message),
    };
  }
}

/** Whether the line says that the file is a syzkaller program; undefined for a line that says nothing. Throws BadInput. */
export const isSyzStart = (file: string, line: Line): boolean | undefined => {
  const text = textOf(file, line);
  if (text.trim() === '') return undefined;
  if (isStraceLine(text)) {
    const what = 'this is a log of strace, which does not have the structs of its calls';
    throw new BadInput(file, line.number, `${what}; iommufd-spec judge ${file} reads it`);
  }
  const isSyz = isSyzLine(text);
  // The other formats have no empty lines.
  if (!isSyz && line.number > 1) parseObject(file, 1, '');
  return isSyz;
};

/** The whole file: programs are short. Throws BadInput, or BadUse where the options do not fit the file. */
export const readProgramFile = async (
  file: string,
  options: SettingOptions,
): Promise<ProgramFile> => {
  const trace = new TraceReader(file);
  const syz = new SyzFile(file);
  let isSyz: boolean | undefined;
  for await (const line of linesOf(file)) {
    isSyz ??= isSyzStart(file, line);
    const text = textOf(file, line);
    if (isSyz !== false) syz.take(text);
    else trace.take(text);
  }
  if (isSyz === true) return syz.end(options);
  requireNoSetting(file, options);
  return { trace: trace.end(), isSyz: false, notes: [] };
};
