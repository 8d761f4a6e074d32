// SPDX-License-Identifier: MIT
// Judges a recording call by call: follows each process and descriptor, and uses what it shows of memory.
// Keeps one world and no history, so its memory does not grow with the recording.

import { decode } from '../../spec/abi/layout.ts';
import { IOMMU_IOAS_MAP_FILE } from '../../spec/abi/native.ts';
import { nodesOf, put, valueAt, valuesOf } from '../../spec/collections/ordered-map.ts';
import { fileBacking } from '../../spec/knowledge/recorded.ts';
import {
  emptyWorld,
  fileAt,
  type World,
  withDescriptor,
  withNewFile,
  withoutDescriptor,
  withoutFile,
} from '../../spec/state/world.ts';
import type { IoctlCall, Observation, Process } from '../../spec/terms/call.ts';
import { BadInput } from '../trace/bad-input.ts';
import type { RecordedEvent } from '../trace/recorded-event.ts';
import type { MappedFile, RecordedCall, RecordingHeader, StatedFacts } from '../trace/recording.ts';
import { cutProblem } from './cut-struct.ts';
import { copyProblem, descriptorProblem } from './descriptor-path.ts';
import { settingOfRecording } from './facts.ts';
import { judge } from './judge.ts';
import { withPassedDescriptor } from './passed-descriptor.ts';
import { withEvent } from './recorded-events.ts';
import { judgeIoctl } from './recorded-map.ts';
import { judgeUnstated } from './unstated.ts';
import type { Verdict } from './verdict.ts';

export const startOf = (header: RecordingHeader, stated: StatedFacts = {}): World => {
  const world = emptyWorld(settingOfRecording(header, stated), 'recorded');
  return { ...world, memory: { ...world.memory, isFollowed: header.version === 2 } };
};

/** A new process is a child: it has its parent's descriptors. */
const withProcess = (world: World, process: Process, fd: RecordedCall['fd']): World => {
  if (valueAt(world.processes, process) !== undefined) return world;
  for (const { key, value } of nodesOf(world.processes)) {
    if (fileAt(world, key, fd) !== undefined) {
      return { ...world, processes: put(world.processes, process, value) };
    }
  }
  return world;
};

const hasUnreported = (world: World): boolean => {
  for (const file of valuesOf(world.files)) {
    if (file.kind === 'unspecified') return true;
    if (file.kind === 'iommufd' && file.context.untracked !== undefined) return true;
    if (file.kind === 'container' && file.container.untracked !== undefined) return true;
  }
  return false;
};

/** A descriptor that an unjudged call opened. */
const withUnreportedDescriptor = (world: World, { call, fd, path }: RecordedCall): World => {
  const anonymous = path.startsWith('anon_inode:');
  if (!anonymous || fileAt(world, call.process, fd) !== undefined || !hasUnreported(world)) {
    return world;
  }
  const opened = withNewFile(world, () => ({ kind: 'unspecified', path }));
  return withDescriptor(opened.world, call.process, fd, opened.id);
};

/** A recording shows the file to map, but not when it was opened: it is open for this call. */
const judgeMapFile = (
  world: World,
  call: IoctlCall,
  observation: Observation,
  { file, size }: MappedFile,
): Verdict => {
  const bytes = call.memory[0]?.bytes ?? new Uint8Array();
  const { fd } = decode(IOMMU_IOAS_MAP_FILE, bytes);
  if (fileAt(world, call.process, fd) !== undefined) return judge(world, call, observation);
  const opened = withNewFile(world, () => ({
    kind: 'memfd',
    backing: fileBacking(file),
    length: size,
  }));
  const open = withDescriptor(opened.world, call.process, fd, opened.id);
  const verdict = judge(open, call, observation);
  const closed = withoutFile(withoutDescriptor(verdict.world, call.process, fd), opened.id);
  return verdict.kind === 'violation' ? verdict : { ...verdict, world: closed };
};

/** The verdict on one line of a recording, and the world after it. Throws BadInput if the line is impossible. */
export const judgeRecorded = (file: string, before: World, recorded: RecordedCall): Verdict => {
  const { call, fd, line } = recorded;
  const known = withPassedDescriptor(
    withUnreportedDescriptor(withProcess(before, call.process, fd), recorded),
    recorded,
  );
  const wrong = descriptorProblem(known, recorded);
  if (wrong !== undefined) throw new BadInput(file, line, wrong);
  const { observation, mappedFile } = recorded;
  const verdict = judgeUnstated(known, call, observation, (world) => {
    if (call.kind !== 'ioctl') return judge(world, call, observation);
    return mappedFile === undefined
      ? judgeIoctl(world, call, recorded)
      : judgeMapFile(world, call, observation, mappedFile);
  });
  if (call.kind !== 'ioctl') return verdict;
  const problem = verdict.kind === 'violation' ? cutProblem(verdict, call) : undefined;
  if (problem !== undefined) throw new BadInput(file, line, problem);
  return verdict;
};

/** The world after a line that is not a call. Throws BadInput if the line is impossible. */
export const worldAfterEvent = (
  file: string,
  line: number,
  world: World,
  event: RecordedEvent,
): World => {
  const problem = event.kind === 'dup' ? copyProblem(world, event) : undefined;
  if (problem !== undefined) throw new BadInput(file, line, problem);
  return withEvent(world, event);
};
