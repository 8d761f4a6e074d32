// SPDX-License-Identifier: MIT
// A trace loses nothing: it is read back as it was written, and for a recording that became a
// program the emulator gives the kernel's replies, if all of it is specified.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { programs } from '../../../model/arbitrary.ts';
import { ARENA_BASE } from '../../../model/programs/arena.ts';
import { judgeProgram } from '../../../oracle/check/judge-program.ts';
import { startOf } from '../../../oracle/judge/session.ts';
import { BadInput } from '../../../oracle/trace/bad-input.ts';
import { programOfRecording } from '../../../oracle/trace/program-of-recording.ts';
import { readTrace } from '../../../oracle/trace/read-trace.ts';
import { parseCall, parseHeader } from '../../../oracle/trace/recording.ts';
import { type Trace, traceLines } from '../../../oracle/trace/trace-file.ts';
import { FIXTURES, readLines, recordingsIn } from '../../harness/recordings.ts';
import { SETTINGS } from '../../helpers/settings.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'properties-'));

const traces = suite('traces');

traces.after(() => rmSync(FOLDER, { recursive: true }));

const written = (trace: Trace): string => [...traceLines(trace), ''].join('\n');

traces('a trace is read back as it was written', async () => {
  for (const [index, setting] of SETTINGS.entries()) {
    const [program] = fc.sample(programs(setting, 40), { numRuns: 1, seed: 7 + index });
    if (program === undefined) throw new Error('No program was generated.');
    const { steps } = judgeProgram(setting, program);
    const operations = program.map((operation, at) => ({ operation, step: steps[at]?.step }));
    const header = { setting, arena: ARENA_BASE, seed: 7, subject: 'emulator', defects: [] };
    const file = join(FOLDER, `${index}.jsonl`);
    writeFileSync(file, written({ header, operations, failure: undefined }));
    const read = await readTrace(file);
    assert.equal(read.header.setting, setting);
    assert.is(
      written(read),
      written({ header, operations, failure: undefined }),
      'and written again it is the same',
    );
    const again = judgeProgram(
      read.header.setting,
      read.operations.map(({ operation }) => operation),
    );
    assert.equal(
      again.steps.map(({ step }) => step.observation),
      steps.map(({ step }) => step.observation),
    );
  }
});

traces('a trace without its last line is cut short', async () => {
  const [setting] = SETTINGS;
  if (setting === undefined) throw new Error('There is no setting.');
  const header = { setting, arena: ARENA_BASE, seed: undefined, subject: undefined, defects: [] };
  const file = join(FOLDER, 'cut.jsonl');
  const [first] = traceLines({ header, operations: [], failure: undefined });
  writeFileSync(file, `${first}\n`);
  let error: unknown;
  await readTrace(file).catch((caught: unknown) => {
    error = caught;
  });
  assert.instance(error, BadInput);
  assert.match((error as BadInput).message, /:1: the trace is cut short/);
});

/** Recordings that show the memory of their maps, and whose every call is specified. */
const SHOWN =
  /vfio_compat_mock_domain|iommufd_ioas\.(no_domain|mock_domain)\.(area|iova|ioas|copy)/;

traces('a recording as a program gets the recorded replies', async () => {
  let calls = 0;
  for (const name of recordingsIn(FIXTURES).filter((file) => SHOWN.test(file))) {
    const lines = await readLines(join(FIXTURES, name));
    const { setting } = startOf(parseHeader(name, lines[0] ?? ''));
    const recorded = lines.slice(1).map((text, index) => parseCall(name, index + 2, text));
    const { program, leftOut } = programOfRecording(name, setting.platform, recorded);
    assert.is(leftOut, 0, name);
    const { steps, failure } = judgeProgram(setting, program);
    assert.is(failure, undefined, name);
    const errnos = steps.flatMap(({ step }) =>
      step.call.kind === 'ioctl' ? [step.observation.errno] : [],
    );
    const seen = recorded.flatMap(({ call, observation }) =>
      call.kind === 'ioctl' ? [observation.errno] : [],
    );
    assert.equal(errnos, seen, name);
    calls += errnos.length;
  }
  assert.ok(calls > 100, `${calls} calls were made`);
});

traces('a recording of a cdev is a program without the calls of its driver', async () => {
  for (const name of recordingsIn(FIXTURES).filter((file) => file.includes('vfio_pci_device'))) {
    const lines = await readLines(join(FIXTURES, name));
    const { setting } = startOf(parseHeader(name, lines[0] ?? ''));
    const all = lines.slice(1).map((text, index) => parseCall(name, index + 2, text));
    const recorded = all.filter(({ call }) => call.process === all[0]?.call.process);
    const { program, leftOut } = programOfRecording(name, setting.platform, recorded);
    const { steps, failure } = judgeProgram(setting, program);
    assert.is(failure, undefined, name);
    assert.is(steps.length + leftOut, recorded.length);
    const rules = steps.map(({ verdict }) => (verdict.kind === 'conforms' ? verdict.rule.id : ''));
    assert.ok(rules.includes('device-bind-iommufd/binds'), name);
    assert.ok(rules.includes('device-attach-iommufd-pt/attaches'), name);
  }
});

traces.run();
