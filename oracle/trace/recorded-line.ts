// SPDX-License-Identifier: MIT
// The fast path for calls in recordings: the recorder writes fields in a fixed order, without spaces. Other lines are
// left to parseCall, which reads any JSON and reports errors.

import { bytesOfLatin1 } from '../../spec/abi/bytes-text.ts';
import { type Fd, fileDescriptor, type UserAddress, userAddress } from '../../spec/abi/units.ts';
import type { Segment } from '../../spec/terms/call.ts';
import { MAPPINGS_MAX, POINTED_MAX, STRUCT_MAX, TEXT_MAX } from './limits.ts';
import { LineScanner } from './line-scanner.ts';
import { areAscending, PERMISSIONS, type RecordedMapping } from './recorded-mapping.ts';
import { PID_MAX, type RecordedCall } from './recording.ts';
import { ERRNO_MAX, I32_MAX, isAnswer } from './values.ts';

const KEYS = {
  sequence: bytesOfLatin1('{"seq":'),
  process: bytesOfLatin1(',"pid":'),
  thread: bytesOfLatin1(',"tid":'),
  fd: bytesOfLatin1(',"fd":'),
  path: bytesOfLatin1(',"path":"'),
  call: bytesOfLatin1('","call":"'),
  open: bytesOfLatin1('open"'),
  close: bytesOfLatin1('close"'),
  ioctl: bytesOfLatin1('ioctl","cmd":"0x'),
  argument: bytesOfLatin1('","arg":"0x'),
  quote: bytesOfLatin1('"'),
  before: bytesOfLatin1(',"in":"'),
  memory: bytesOfLatin1(',"mem":{"addr":"0x'),
  memoryBefore: bytesOfLatin1('","in":"'),
  memoryEnd: bytesOfLatin1('"}'),
  mappings: bytesOfLatin1(',"vmas":['),
  mapping: bytesOfLatin1('{"start":"0x'),
  end: bytesOfLatin1('","end":"0x'),
  permissions: bytesOfLatin1('","perm":"'),
  comma: bytesOfLatin1(','),
  listEnd: bytesOfLatin1(']'),
  result: bytesOfLatin1(',"ret":'),
  errno: bytesOfLatin1(',"errno":'),
  after: bytesOfLatin1(',"out":"'),
  memoryAfter: bytesOfLatin1(',"memOut":"'),
  objectEnd: bytesOfLatin1('}'),
} as const;

const COMMAND_MAX = 0xffff_ffffn;
const PAGE_MASK = 0xfffn;
const NOTHING: readonly Segment[] = [];

const isPid = (value: number): boolean => value >= 1 && value <= PID_MAX;

type Path = { readonly bytes: Uint8Array; readonly text: string };

type Common = Pick<RecordedCall, 'line' | 'sequence' | 'fd' | 'path'>;

export class RecordedLineReader {
  readonly #scanner = new LineScanner();
  /** The last path of each descriptor, which is most often the current one. */
  readonly #paths = new Map<number, Path>();

  /** The call in these bytes, from `start` to before `end`; undefined if the line is not as the recorder writes it. */
  read(bytes: Uint8Array, start: number, end: number, line: number): RecordedCall | undefined {
    const scanner = this.#scanner;
    scanner.start(bytes, start, end);
    scanner.expect(KEYS.sequence);
    const sequence = scanner.integer();
    scanner.expect(KEYS.process);
    const process = scanner.integer();
    const thread = scanner.skips(KEYS.thread) ? scanner.integer() : process;
    scanner.expect(KEYS.fd);
    const fd = fileDescriptor(scanner.integer());
    if (sequence < 0 || !isPid(process) || !isPid(thread) || fd < 0 || fd > I32_MAX)
      return undefined;
    scanner.expect(KEYS.path);
    const path = this.#path(fd);
    if (path.length > TEXT_MAX) return undefined;
    scanner.expect(KEYS.call);
    const common = { line, sequence, fd, path };
    const read = scanner.skips(KEYS.ioctl)
      ? this.#ioctl(common, process)
      : this.#openOrClose(common, process, fd);
    scanner.expect(KEYS.objectEnd);
    return scanner.isDone() ? read : undefined;
  }

  #path(fd: number): string {
    const known = this.#paths.get(fd);
    const text = this.#scanner.text(known);
    if (known?.text !== text) this.#paths.set(fd, { bytes: bytesOfLatin1(text), text });
    return text;
  }

  #openOrClose(common: Common, process: number, fd: Fd): RecordedCall {
    const rest = { ...common, mappings: undefined };
    if (this.#scanner.skips(KEYS.open)) {
      return {
        ...rest,
        call: { kind: 'open', process, path: common.path },
        observation: { result: fd, errno: 0, memory: NOTHING },
      };
    }
    this.#scanner.expect(KEYS.close);
    return {
      ...rest,
      call: { kind: 'close', process, fd },
      observation: { result: 0, errno: 0, memory: NOTHING },
    };
  }

  #ioctl({ line, sequence, fd, path }: Common, process: number): RecordedCall | undefined {
    const scanner = this.#scanner;
    const command = scanner.hexadecimal();
    if (command > COMMAND_MAX) return undefined;
    scanner.expect(KEYS.argument);
    const argument = scanner.hexadecimal();
    scanner.expect(KEYS.quote);
    const before: Segment[] = [];
    const after: Segment[] = [];
    let mappings: readonly RecordedMapping[] | undefined;
    if (scanner.skips(KEYS.before)) {
      before.push({ address: userAddress(argument), bytes: scanner.bytes(undefined) });
      scanner.expect(KEYS.quote);
      if (scanner.skips(KEYS.memory)) before.push(this.#memory());
      if (scanner.skips(KEYS.mappings)) mappings = this.#mappings();
    }
    scanner.expect(KEYS.result);
    const result = scanner.integer();
    scanner.expect(KEYS.errno);
    const errno = scanner.integer();
    const isInRange = result >= -1 && result <= I32_MAX && errno >= 0 && errno <= ERRNO_MAX;
    if (!isInRange || !isAnswer(result, errno) || !this.#after(before, after)) return undefined;
    return {
      line,
      sequence,
      fd,
      path,
      call: { kind: 'ioctl', process, fd, command: Number(command), argument, memory: before },
      observation: { result, errno, memory: after },
      mappings,
    };
  }

  #memory(): Segment {
    const address = userAddress(this.#scanner.hexadecimal());
    this.#scanner.expect(KEYS.memoryBefore);
    const bytes = this.#scanner.bytes(undefined);
    this.#scanner.expect(KEYS.memoryEnd);
    return { address, bytes };
  }

  /** The same spans after the call. False if they are not as expected. */
  #after(before: readonly Segment[], after: Segment[]): boolean {
    const [struct, pointed] = before;
    if (struct === undefined) return true;
    if (struct.bytes.length > STRUCT_MAX) return false;
    const scanner = this.#scanner;
    if (scanner.skips(KEYS.after)) after.push(this.#changed(struct));
    else if (struct.bytes.length > 0) return false;
    if (pointed !== undefined) {
      if (pointed.bytes.length > POINTED_MAX) return false;
      scanner.expect(KEYS.memoryAfter);
      after.push(this.#changed(pointed));
    }
    return true;
  }

  #changed({ address, bytes }: Segment): Segment {
    const changed = this.#scanner.bytes(bytes);
    if (changed.length !== bytes.length) this.#scanner.fail();
    this.#scanner.expect(KEYS.quote);
    return { address, bytes: changed };
  }

  #mappings(): readonly RecordedMapping[] {
    const scanner = this.#scanner;
    const mappings: RecordedMapping[] = [];
    if (scanner.skips(KEYS.listEnd)) return mappings;
    do {
      scanner.expect(KEYS.mapping);
      const start = userAddress(scanner.hexadecimal());
      scanner.expect(KEYS.end);
      const last = userAddress(scanner.hexadecimal() - 1n);
      scanner.expect(KEYS.permissions);
      const permissions = scanner.text(undefined);
      scanner.expect(KEYS.quote);
      scanner.expect(KEYS.objectEnd);
      mappings.push(this.#mapping(start, last, permissions));
    } while (scanner.isAsExpected() && scanner.skips(KEYS.comma));
    scanner.expect(KEYS.listEnd);
    if (mappings.length > MAPPINGS_MAX || !areAscending(mappings)) scanner.fail();
    return mappings;
  }

  #mapping(start: UserAddress, last: UserAddress, permissions: string): RecordedMapping {
    const isWhole = (start & PAGE_MASK) === 0n && (last & PAGE_MASK) === PAGE_MASK && start < last;
    if (!isWhole || !PERMISSIONS.test(permissions)) this.#scanner.fail();
    return {
      start,
      last,
      readable: permissions[0] === 'r',
      writable: permissions[1] === 'w',
      shared: permissions[3] === 's',
    };
  }
}
