// SPDX-License-Identifier: MIT
// The effect on the world of recorded lines that are not calls.

import { drop, nodesOf, put, valueAt } from '../../spec/collections/ordered-map.ts';
import * as followed from '../../spec/knowledge/followed.ts';
import type { Memory } from '../../spec/state/memory.ts';
import { descriptorsOf, fileAt, type World, withDescriptor } from '../../spec/state/world.ts';
import { step } from '../../spec/step.ts';
import type { Process } from '../../spec/terms/call.ts';
import type { RecordedEvent } from '../trace/recorded-event.ts';

const memoryAfter = (memory: Memory, event: RecordedEvent): Memory => {
  const { process } = event;
  switch (event.kind) {
    case 'mmap':
      return followed.withMapped(memory, process, event.mapping);
    case 'munmap':
      return followed.withUnmapped(memory, process, event.span);
    case 'mprotect':
      return followed.withProtection(memory, process, event.span, event.protection);
    case 'mremap':
      return followed.withMoved(memory, process, event.from, event.to, event.keeps);
    case 'madvise':
      return event.advice.startsWith('DONTNEED')
        ? followed.withDiscarded(memory, process, event.span)
        : followed.withDoubtful(memory, process, event.span);
    case 'exec':
      return followed.withProgram(memory, process, event.mappings);
    case 'fork':
      return followed.withChild(memory, process, event.child);
    case 'exit':
      return followed.withProgram(memory, process, []);
    case 'dup':
      return memory;
  }
};

/** Closes all descriptors of the process, as the kernel does when it ends. */
const withoutProcess = (world: World, process: Process): World => {
  let after = world;
  for (const { key: fd } of [...nodesOf(descriptorsOf(world, process))]) {
    const [outcome] = step(after, { kind: 'close', process, fd });
    if (outcome?.kind === 'reply') after = outcome.world;
  }
  return { ...after, processes: drop(after.processes, process) };
};

const NO_DESCRIPTORS = { descriptors: undefined };

/** The world after an event. Events are not judged. */
export const withEvent = (world: World, event: RecordedEvent): World => {
  const after = { ...world, memory: memoryAfter(world.memory, event) };
  const { process } = event;
  switch (event.kind) {
    case 'exit':
      return withoutProcess(after, process);
    case 'fork': {
      const parent = valueAt(after.processes, process) ?? NO_DESCRIPTORS;
      return { ...after, processes: put(after.processes, event.child, parent) };
    }
    case 'exec': {
      const known = valueAt(after.processes, process) ?? NO_DESCRIPTORS;
      return { ...after, processes: put(after.processes, process, known) };
    }
    case 'dup': {
      const file = fileAt(after, process, event.from);
      return file === undefined ? after : withDescriptor(after, process, event.fd, file);
    }
    default:
      return after;
  }
};
