// SPDX-License-Identifier: MIT
// Reads a syzkaller program line by line, and makes a program of it that runs on the emulator and on kernels.

import type { Program } from '../../model/programs/program.ts';
import { BadInput } from '../trace/bad-input.ts';
import { ConvertContext, SYZ_OPERATIONS_MAX, type SyzNote } from './convert-context.ts';
import { FILE_CALLS } from './convert-files.ts';
import { convertIoctl } from './convert-ioctl.ts';
import { MEMORY_CALLS } from './convert-memory.ts';
import { NotCarriedOver } from './not-carried-over.ts';
import { parseCall } from './parse-call.ts';
import { relocated } from './relocated.ts';
import { skips } from './skipped-calls.ts';
import type { SyzCall } from './tree.ts';

export type SyzProgram = {
  readonly program: Program;
  /** The line of each operation. */
  readonly lines: readonly number[];
  readonly notes: readonly SyzNote[];
};

const CONVERSIONS: Readonly<Record<string, (context: ConvertContext, call: SyzCall) => void>> = {
  ...FILE_CALLS,
  ...MEMORY_CALLS,
  ioctl: convertIoctl,
};

const conversionOf = ({ name }: SyzCall): ((context: ConvertContext, call: SyzCall) => void) => {
  const base = name.replace(/\$.*/, '');
  const conversion = Object.hasOwn(CONVERSIONS, base) ? CONVERSIONS[base] : undefined;
  if (conversion !== undefined) return conversion;
  throw new NotCarriedOver(
    'the call is not understood, and what it changes is not known: take the line out if the rest does not need it',
  );
};

export class SyzReader {
  readonly #file: string;
  readonly #context = new ConvertContext();
  #line = 0;
  #calls = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Throws BadInput, with what is not understood. */
  take(text: string): void {
    this.#line += 1;
    const call = parseCall(this.#file, this.#line, text);
    if (call === undefined) return;
    this.#calls += 1;
    if (this.#calls > SYZ_OPERATIONS_MAX) {
      const what = `a program has at most ${SYZ_OPERATIONS_MAX} calls`;
      throw new BadInput(this.#file, call.line, what);
    }
    this.#context.line = call.line;
    try {
      this.#convert(call);
    } catch (error) {
      if (!(error instanceof NotCarriedOver)) throw error;
      throw new BadInput(this.#file, call.line, `${call.name}: ${error.message}`);
    }
  }

  /** The program whose last line was taken. Throws BadInput. */
  end(): SyzProgram {
    this.#context.endFills();
    const { operations, notes } = this.#context;
    if (operations.length === 0)
      throw new BadInput(this.#file, 0, 'the program has no calls that are run');
    const all = relocated(this.#file, operations);
    return {
      program: all.map(({ operation }) => operation),
      lines: all.map(({ line }) => line),
      notes,
    };
  }

  #convert(call: SyzCall): void {
    if (skips(call, this.#context.results)) {
      this.#context.note(`skipped: ${call.name} is not a call of VFIO or iommufd`);
      return;
    }
    const { isAsync, failNth, rerun } = call.properties;
    conversionOf(call)(this.#context, call);
    if (isAsync) this.#context.note('async: the call ends before the next one begins');
    if (failNth > 0) this.#context.note('fail_nth: no allocation of the call is made to fail');
    if (rerun > 0) {
      const isRepeated = call.name.startsWith('ioctl');
      this.#context.note(
        isRepeated
          ? 'rerun: the struct is put into memory again each time'
          : 'rerun: the call is made once',
      );
    }
  }
}
