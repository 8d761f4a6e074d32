// SPDX-License-Identifier: MIT
// The processes of a log: which one made a call on a line that may not say so, and the descriptors that each has.

import { DescriptorTable } from './descriptor-table.ts';
import type { SplitCall } from './split-call.ts';
import { hasFlag } from './values.ts';

export type LoggedProcess = {
  /** 0 as long as the log does not show it. */
  id: number;
  table: DescriptorTable;
  /** The call that has begun and not ended: its name, and whether it may change descriptors or open files. */
  inside:
    | { readonly name: string; readonly args: readonly string[]; readonly since: number }
    | undefined;
};

const PROCESSES_MAX = 1024;

const FORKS: ReadonlySet<string> = new Set(['fork', 'vfork', 'clone', 'clone3']);

const CLONE_FILES = 0x400n;

/** Whether a child shares the descriptors of its parent; undefined where the log does not show it. */
const sharesDescriptors = (name: string, args: readonly string[]): boolean | undefined => {
  if (!name.startsWith('clone')) return false;
  const all = args.join(', ');
  const flags =
    /\bflags=([^,}]{1,4096})/.exec(all)?.[1] ?? (name === 'clone' ? args[0] : undefined);
  return flags === undefined ? undefined : hasFlag(flags, 'CLONE_FILES', CLONE_FILES);
};

export class Processes {
  readonly #alive = new Map<number, LoggedProcess>();
  /** Children that the log has shown, and whose parent it has not. */
  readonly #attached = new Set<number>();

  /** There were more processes than are followed. */
  isFull = false;

  constructor() {
    this.#add(0, new DescriptorTable());
  }

  #add(id: number, table: DescriptorTable): LoggedProcess {
    if (this.#alive.size >= PROCESSES_MAX) {
      this.isFull = true;
      return { id, table: DescriptorTable.unknown(), inside: undefined };
    }
    const made: LoggedProcess = { id, table, inside: undefined };
    this.#alive.set(id, made);
    return made;
  }

  get all(): Iterable<LoggedProcess> {
    return this.#alive.values();
  }

  /** The process of a line. */
  of(id: number | undefined): LoggedProcess {
    if (id === undefined) return this.#unnamed();
    const found = this.#alive.get(id);
    if (found !== undefined) return found;
    const first = this.#alive.get(0);
    const parent = this.#onlyForking();
    if (first !== undefined && !this.#attached.has(id) && parent === undefined) {
      this.#alive.delete(0);
      first.id = id;
      this.#alive.set(id, first);
      return first;
    }
    this.#attached.delete(id);
    return this.#child(id, parent);
  }

  /** strace names no process where there is one. */
  #unnamed(): LoggedProcess {
    const [only] = this.#alive.values();
    if (only !== undefined && this.#alive.size === 1) return only;
    return this.#alive.get(0) ?? this.#add(0, DescriptorTable.unknown());
  }

  #onlyForking(): LoggedProcess | undefined {
    const forking = [...this.#alive.values()].filter(
      ({ inside }) => inside !== undefined && FORKS.has(inside.name),
    );
    return forking.length === 1 ? forking[0] : undefined;
  }

  #child(id: number, parent: LoggedProcess | undefined): LoggedProcess {
    if (parent?.inside === undefined) return this.#add(id, DescriptorTable.unknown());
    return this.#add(id, this.#tableFor(parent, parent.inside));
  }

  #tableFor(
    parent: LoggedProcess,
    { name, args }: { readonly name: string; readonly args: readonly string[] },
  ): DescriptorTable {
    const shares = sharesDescriptors(name, args);
    if (shares === true) return parent.table;
    if (shares === false) return parent.table.copy();
    // What one of them does may be done to both.
    parent.table = DescriptorTable.unknown();
    return DescriptorTable.unknown();
  }

  /** strace follows a child. */
  attached(id: number): void {
    if (this.#alive.has(id)) return;
    const parent = this.#onlyForking();
    if (parent !== undefined) this.#child(id, parent);
    else if (this.#attached.size < PROCESSES_MAX) this.#attached.add(id);
  }

  /** A fork returned in the parent. False where the log does not follow the child. */
  forked(
    parent: LoggedProcess,
    call: Pick<SplitCall, 'name' | 'arguments'>,
    id: number,
    isFollowed: boolean,
  ): boolean {
    if (this.#alive.has(id)) return true;
    const isAttached = this.#attached.delete(id);
    const table = this.#tableFor(parent, { name: call.name, args: call.arguments });
    if (!isFollowed && !isAttached) return false;
    this.#add(id, table);
    return true;
  }

  ended(process: LoggedProcess): void {
    if (process.id !== 0 || this.#alive.size > 1) this.#alive.delete(process.id);
  }
}
