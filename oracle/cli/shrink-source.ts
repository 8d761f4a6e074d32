// SPDX-License-Identifier: MIT
// The program that shrink starts from: that of a trace, or of a recording up to its first violation. The file is read
// once, because it may be a pipe.

import type { DefectName } from '../../model/emulator/defects.ts';
import type { Program } from '../../model/programs/program.ts';
import type { World } from '../../spec/state/world.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { judgeRecorded, startOf, worldAfterEvent } from '../judge/session.ts';
import { reportOf } from '../report/violation.ts';
import { violationSentence } from '../report/violation-text.ts';
import { count } from '../text/quantities.ts';
import { visible } from '../text/visible.ts';
import { BadInput } from '../trace/bad-input.ts';
import { parseObject } from '../trace/json-object.ts';
import { type Line, textOf } from '../trace/line.ts';
import { linesOf } from '../trace/lines.ts';
import { programOfRecording } from '../trace/program-of-recording.ts';
import { parseHeader, type RecordedCall } from '../trace/recording.ts';
import { RecordingReader } from '../trace/recording-reader.ts';
import { programOf, TRACE_FORMAT, type Trace, TraceReader } from '../trace/trace-file.ts';
import { isSyzStart, requireNoSetting, SyzFile } from './program-file.ts';
import { defectsOf } from './replay.ts';
import type { SettingOptions } from './settings.ts';

type Defects = readonly (DefectName | 'none')[] | undefined;

export type ShrinkSource = {
  readonly setting: Setting;
  readonly program: Program;
  readonly defects: ReadonlySet<DefectName>;
  /** Notes on calls that were left out; may be empty. */
  readonly notes: readonly string[];
  /** The file's violation, as part of a sentence; undefined if it has none. */
  readonly violation: string | undefined;
};

/** Shrinking a longer recording would take too long. */
const CALLS_MAX = 100_000;

const ofTrace = (file: string, trace: Trace, named: Defects): ShrinkSource => ({
  setting: trace.header.setting,
  program: programOf(trace),
  defects: defectsOf(file, trace, named),
  notes: [],
  violation: trace.failure === undefined ? undefined : 'the violation that the trace records',
});

/** The calls up to the first violation, or all. */
class RecordedCalls {
  readonly calls: RecordedCall[] = [];
  /** The first violation, in a sentence. */
  violation: string | undefined;
  readonly #file: string;
  readonly #reader: RecordingReader;
  #world: World;

  constructor(file: string, header: string) {
    const parsed = parseHeader(file, header);
    this.#file = file;
    this.#reader = new RecordingReader(file, parsed);
    this.#world = startOf(parsed);
  }

  take(line: Line): void {
    const item = this.#reader.take(line);
    if (item.kind === 'end') return;
    if (item.kind === 'event') {
      this.#world = worldAfterEvent(this.#file, line.number, this.#world, item.event);
      return;
    }
    if (this.calls.push(item.recorded) > CALLS_MAX) {
      const what = `there are more than ${CALLS_MAX} calls before a violation`;
      throw new BadInput(this.#file, line.number, what);
    }
    const verdict = judgeRecorded(this.#file, this.#world, item.recorded);
    this.#world = verdict.world;
    if (verdict.kind !== 'violation') return;
    const place = { file: this.#file, line: line.number };
    const report = reportOf(verdict, place, this.calls.length - 1, [], 'brief');
    this.violation = violationSentence(report);
  }

  get isOver(): boolean {
    return this.violation !== undefined;
  }

  end(line: number): void {
    this.#reader.end(line);
  }

  get setting(): Setting {
    return this.#world.setting;
  }
}

const ofRecording = (file: string, recorded: RecordedCalls, named: Defects): ShrinkSource => {
  const { calls, setting, violation } = recorded;
  const line = calls.at(-1)?.line;
  const { program, leftOut } = programOfRecording(file, setting.platform, calls);
  return {
    setting,
    program,
    defects: new Set((named ?? []).filter((name) => name !== 'none')),
    notes: [
      violation === undefined
        ? 'the recording has no violation'
        : `the recording has a violation in line ${line}: ${violation}`,
      ...(leftOut === 0
        ? []
        : [`${count(leftOut, 'call')} on files that are not specified were left out`]),
    ].map((note) => `${visible(file)}: ${note}`),
    violation:
      violation === undefined ? undefined : `the violation in line ${line} of the recording`,
  };
};

/**
 * `named`: the defects that the options name; `options`: the setting of a syzkaller program. Throws BadInput.
 */
export const sourceOf = async (
  file: string,
  named: Defects,
  options: SettingOptions,
): Promise<ShrinkSource> => {
  let trace: TraceReader | undefined;
  let recorded: RecordedCalls | undefined;
  const syz = new SyzFile(file);
  let isSyz: boolean | undefined;
  let last = 0;
  for await (const line of linesOf(file)) {
    last = line.number;
    isSyz ??= isSyzStart(file, line);
    if (isSyz !== false) {
      syz.take(textOf(file, line));
      continue;
    }
    if (recorded !== undefined) {
      recorded.take(line);
      if (recorded.isOver) break;
      continue;
    }
    const text = textOf(file, line);
    const isTrace =
      trace !== undefined || parseObject(file, line.number, text).format === TRACE_FORMAT;
    if (isTrace) {
      trace ??= new TraceReader(file);
      trace.take(text);
    } else {
      recorded = new RecordedCalls(file, text);
    }
  }
  if (isSyz === true) {
    const { trace: program, notes } = syz.end(options);
    return { ...ofTrace(file, program, named), notes };
  }
  requireNoSetting(file, options);
  if (recorded !== undefined) {
    recorded.end(last);
    return ofRecording(file, recorded, named);
  }
  if (trace === undefined) throw new BadInput(file, 0, 'the file is empty');
  return ofTrace(file, trace.end(), named);
};
