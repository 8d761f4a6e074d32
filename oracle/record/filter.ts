// SPDX-License-Identifier: MIT
// A seccomp filter that stops the program only at the recorded calls. It is installed before the program starts:
// the waiting child is made to issue one more system call, and repeats its own afterwards.

import { closeSync, openSync, writeSync } from 'node:fs';
import { REGISTER, registersOf, type SyscallStop, setRegisters } from './ptrace.ts';
import { IOCTL_TYPE, NUMBER } from './system-calls.ts';

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const SHIFT_RIGHT = 0x74;
const AND = 0x54;
const RETURN = 0x06;
const ALLOW = 0x7fff_0000;
const TRACE = 0x7ff0_0000;

/** Offsets in struct seccomp_data. */
const DATA = { number: 0, arch: 4, secondArgument: 24 };
const ARCH_X86_64 = 0xc000_003e;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

const instructions = (): readonly Instruction[] => {
  const always = Object.values(NUMBER).filter((number) => number !== NUMBER.ioctl);
  const count = 3 + always.length + 7;
  const trace = count - 1;
  const allow = count - 2;
  const code: Instruction[] = [];
  /** Jumps count from the next instruction. */
  const to = (target: number): number => target - code.length - 1;
  code.push([LOAD, 0, 0, DATA.arch]);
  code.push([JUMP_EQUAL, 0, to(allow), ARCH_X86_64]);
  code.push([LOAD, 0, 0, DATA.number]);
  for (const number of always) code.push([JUMP_EQUAL, to(trace), 0, number]);
  code.push([JUMP_EQUAL, 0, to(allow), NUMBER.ioctl]);
  code.push([LOAD, 0, 0, DATA.secondArgument]);
  code.push([SHIFT_RIGHT, 0, 0, 8]);
  code.push([AND, 0, 0, 0xff]);
  code.push([JUMP_EQUAL, to(trace), 0, IOCTL_TYPE]);
  code.push([RETURN, 0, 0, ALLOW]);
  code.push([RETURN, 0, 0, TRACE]);
  return code;
};

const HEAD = 16;

/** struct sock_fprog followed by the filter, for a given address. */
const filterBytes = (address: bigint): Uint8Array => {
  const code = instructions();
  const bytes = new Uint8Array(HEAD + code.length * 8);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, code.length, true);
  view.setBigUint64(8, address + BigInt(HEAD), true);
  code.forEach(([operation, ifTrue, ifFalse, value], index) => {
    const at = HEAD + index * 8;
    view.setUint16(at, operation, true);
    view.setUint8(at + 2, ifTrue);
    view.setUint8(at + 3, ifFalse);
    view.setUint32(at + 4, value, true);
  });
  return bytes;
};

const PRCTL = 157n;
const PR_SET_NO_NEW_PRIVS = 38n;
const SECCOMP = 317n;
const SECCOMP_SET_MODE_FILTER = 1n;
const EACCES = -13n;
/** Below the red zone under the child's stack pointer. */
const BELOW_STACK = 2048n;
/** Bytes of the instruction that makes a system call. */
const INSTRUCTION = 2n;

type State = 'filter' | 'privileges' | 'done' | 'failed';

export class FilterInstaller {
  #next: State = 'filter';
  #saved: BigUint64Array | undefined;

  /** At a stop before and after each of the child's calls. 'failed' if the kernel accepts no filter. */
  stopped(thread: number, stop: SyscallStop): 'pending' | 'done' | 'failed' {
    if (stop.kind === 'entry') this.#replace(thread);
    else if (stop.kind === 'exit' && this.#saved !== undefined) this.#restore(thread, stop.result);
    return this.#next === 'done' || this.#next === 'failed' ? this.#next : 'pending';
  }

  #replace(thread: number): void {
    this.#saved = registersOf(thread);
    const words = this.#saved.slice();
    const address = ((words[REGISTER.rsp] as bigint) - BELOW_STACK) & ~15n;
    if (this.#next === 'filter') {
      const memory = openSync(`/proc/${thread}/mem`, 'r+');
      writeSync(memory, filterBytes(address), 0, undefined, Number(address));
      closeSync(memory);
      words[REGISTER.origRax] = SECCOMP;
      words[REGISTER.rdi] = SECCOMP_SET_MODE_FILTER;
      words[REGISTER.rsi] = 0n;
      words[REGISTER.rdx] = address;
    } else {
      words[REGISTER.origRax] = PRCTL;
      words[REGISTER.rdi] = PR_SET_NO_NEW_PRIVS;
      words[REGISTER.rsi] = 1n;
      words[REGISTER.rdx] = 0n;
      words[REGISTER.r10] = 0n;
      words[REGISTER.r8] = 0n;
    }
    setRegisters(thread, words);
  }

  /** Makes the child repeat its own call, and chooses the next step. */
  #restore(thread: number, result: bigint): void {
    const words = this.#saved as BigUint64Array;
    words[REGISTER.rax] = words[REGISTER.origRax] as bigint;
    words[REGISTER.rip] = (words[REGISTER.rip] as bigint) - INSTRUCTION;
    setRegisters(thread, words);
    this.#saved = undefined;
    if (this.#next === 'privileges') this.#next = result === 0n ? 'filter' : 'failed';
    else if (result === 0n) this.#next = 'done';
    // Without CAP_SYS_ADMIN a process may install a filter if it sets no_new_privs.
    else this.#next = result === EACCES ? 'privileges' : 'failed';
  }
}
