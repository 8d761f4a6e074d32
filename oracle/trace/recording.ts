// Reads recordings: what real programs saw real kernels do, a call a line. Nothing in a file is executed, and what
// does not fit the format is an error that names its line.

import { bytesOfHex } from '../../spec/abi/bytes-text.ts';
import { type Fd, fileDescriptor, type UserAddress, userAddress } from '../../spec/abi/units.ts';
import type { Call, Observation, Process, Segment } from '../../spec/terms/call.ts';
import { RELEASE_NAMES, type ReleaseName } from '../../spec/terms/releases.ts';
import { BadInput } from './bad-input.ts';
import { HEX, isObject, parseObject } from './fields.ts';
import { shown } from './shown.ts';

export type RecordingHeader = {
  /** 2: every process, descriptor and mapping is followed; see recorded-event.ts. */
  readonly version: 1 | 2;
  /** Version 3 is version 2 with a last line that says whether it is whole; see recording-end.ts. */
  readonly hasEnd: boolean;
  readonly release: ReleaseName;
  readonly privileged: boolean;
  readonly program: string;
  /** As it stands in the file; see recorded-platform.ts. */
  readonly platform: Readonly<Record<string, unknown>>;
};

/** A mapping of the calling process, when a map was made; `last` is inclusive. */
export type RecordedMapping = {
  readonly start: UserAddress;
  readonly last: UserAddress;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly shared: boolean;
};

export type RecordedCall = {
  readonly line: number;
  readonly sequence: number;
  readonly fd: Fd;
  readonly path: string;
  readonly call: Call;
  readonly observation: Observation;
  /** Every mapping that meets the memory to be mapped; absent where none was written down. */
  readonly mappings: readonly RecordedMapping[] | undefined;
  /** The file of memory that IOAS_MAP_FILE is to map, where that is told. */
  readonly mappedFile?: MappedFile;
};

export type MappedFile = {
  /** Its number in the recording. */
  readonly file: number;
  /** Bytes. */
  readonly size: bigint;
};

type Line = Readonly<Record<string, unknown>>;

/** The first line. */
export const parseHeader = (file: string, text: string): RecordingHeader => {
  const line = parseObject(file, 1, text);
  if (line.format !== 'iommufd-recording') {
    const what = '"format" is neither "iommufd-recording" nor "iommufd-trace"';
    throw new BadInput(file, 1, `${what}; this is no recording and no trace`);
  }
  const { version } = line;
  if (version !== 1 && version !== 2 && version !== 3) {
    throw new BadInput(file, 1, `version ${shown(version)} is not known; 1, 2 and 3 are`);
  }
  const release = RELEASE_NAMES.find((name) => name === line.release);
  if (release === undefined) {
    throw new BadInput(
      file,
      1,
      `release ${String(line.release)} is not specified; these are: ${RELEASE_NAMES.join(', ')}`,
    );
  }
  if (line.arch !== 'x86-64' || line.pageSize !== 4096) {
    throw new BadInput(file, 1, 'only x86-64 with pages of 4096 bytes is specified');
  }
  return {
    version: version === 1 ? 1 : 2,
    hasEnd: version === 3,
    release,
    privileged: line.privileged === true,
    program: typeof line.program === 'string' ? line.program : '',
    platform: isObject(line.platform) ? line.platform : {},
  };
};

class Reader {
  readonly #file: string;
  readonly #line: number;
  readonly #fields: Line;

  constructor(file: string, line: number, fields: Line) {
    this.#file = file;
    this.#line = line;
    this.#fields = fields;
  }

  fail(what: string): never {
    throw new BadInput(this.#file, this.#line, what);
  }

  number(name: string): number {
    const value = this.#fields[name];
    if (typeof value !== 'number' || !Number.isInteger(value)) this.fail(`"${name}" is no number`);
    return value;
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== 'string') this.fail(`"${name}" is no text`);
    return value;
  }

  /** A number written as 0x… */
  hexNumber(name: string, source: Line = this.#fields): bigint {
    const value = source[name];
    if (typeof value !== 'string' || !HEX.test(value)) {
      this.fail(`"${name}" is no hexadecimal number of at most 64 bits`);
    }
    return BigInt(value);
  }

  bytes(value: unknown, name: string): Uint8Array {
    if (typeof value !== 'string') this.fail(`"${name}" is missing`);
    const bytes = bytesOfHex(value);
    if (bytes === undefined) this.fail(`"${name}" holds a wrong hexadecimal digit`);
    return bytes;
  }
}

const COMMAND_MAX = 0xffff_ffff;

const NOTHING: readonly Segment[] = [];

/** Memory after the call; where it is as before, the very same bytes, so that nothing has to be compared. */
const segmentsOf = (
  reader: Reader,
  fields: Line,
  argument: bigint,
): { readonly before: readonly Segment[]; readonly after: readonly Segment[] } => {
  if (fields.in === undefined) return { before: NOTHING, after: NOTHING };
  const address = userAddress(argument);
  const before: Segment[] = [{ address, bytes: reader.bytes(fields.in, 'in') }];
  const after: Segment[] = [];
  if (fields.out === fields.in) after.push(before[0] as Segment);
  else if (fields.out !== undefined)
    after.push({ address, bytes: reader.bytes(fields.out, 'out') });
  else if (fields.in !== '') reader.fail('"out" is missing');
  if (isObject(fields.mem)) {
    const at = userAddress(reader.hexNumber('addr', fields.mem));
    before.push({ address: at, bytes: reader.bytes(fields.mem.in, 'mem.in') });
    if (fields.memOut !== undefined) {
      const raw = isObject(fields.memOut) ? (fields.memOut.in ?? fields.memOut.out) : fields.memOut;
      after.push({ address: at, bytes: reader.bytes(raw, 'memOut') });
    }
  }
  return { before, after };
};

const mappingOf = (reader: Reader, value: unknown): RecordedMapping => {
  if (!isObject(value)) reader.fail('"vmas" holds something that is no mapping');
  const permissions = String(value.perm);
  if (!/^[r-][w-][x-][ps]$/.test(permissions)) reader.fail('"perm" is not like "rw-p"');
  return {
    start: userAddress(reader.hexNumber('start', value)),
    last: userAddress(reader.hexNumber('end', value) - 1n),
    readable: permissions[0] === 'r',
    writable: permissions[1] === 'w',
    shared: permissions[3] === 's',
  };
};

const ioctlOf = (
  reader: Reader,
  fields: Line,
  process: Process,
  fd: Fd,
): { readonly call: Call; readonly observation: Observation } => {
  const command = Number(reader.hexNumber('cmd'));
  if (command > COMMAND_MAX) reader.fail('"cmd" is no number of 32 bits');
  const argument = reader.hexNumber('arg');
  const { before, after } = segmentsOf(reader, fields, argument);
  return {
    call: { kind: 'ioctl', process, fd, command, argument, memory: before },
    observation: {
      result: reader.number('ret'),
      errno: reader.number('errno'),
      memory: after,
    },
  };
};

/** Any line but the first. */
export const parseCall = (file: string, line: number, text: string): RecordedCall => {
  const fields = parseObject(file, line, text);
  const reader = new Reader(file, line, fields);
  const sequence = reader.number('seq');
  const fd = fileDescriptor(reader.number('fd'));
  const path = reader.text('path');
  const process = reader.number('pid');
  switch (fields.call) {
    case 'open':
      return {
        line,
        sequence,
        fd,
        path,
        call: { kind: 'open', process, path },
        observation: { result: fd, errno: 0, memory: NOTHING },
        mappings: undefined,
      };
    case 'close':
      return {
        line,
        sequence,
        fd,
        path,
        call: { kind: 'close', process, fd },
        observation: { result: 0, errno: 0, memory: NOTHING },
        mappings: undefined,
      };
    case 'ioctl': {
      const { call, observation } = ioctlOf(reader, fields, process, fd);
      return {
        line,
        sequence,
        fd,
        path,
        call,
        observation,
        mappings: Array.isArray(fields.vmas)
          ? fields.vmas.map((mapping) => mappingOf(reader, mapping))
          : undefined,
        ...(fields.backing === 'memory-file'
          ? { mappedFile: { file: reader.number('file'), size: reader.hexNumber('size') } }
          : {}),
      };
    }
    default:
      return reader.fail(`"call" is neither open, close nor ioctl but ${String(fields.call)}`);
  }
};
