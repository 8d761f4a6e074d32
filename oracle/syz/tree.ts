// SPDX-License-Identifier: MIT
// A syzkaller program as a syntax tree: calls with arguments as they are written. What an argument means depends on the
// call, and is decided elsewhere.

/** An argument. `column` counts the line's characters from 1. */
export type SyzArgument = { readonly column: number } & (
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'nil' }
  /** The value that syzkaller computes: a length, or a constant. */
  | { readonly kind: 'auto' }
  /** "r1", "r1/2+8": an earlier result, divided and increased. */
  | {
      readonly kind: 'result';
      readonly name: string;
      readonly divisor: bigint;
      readonly increment: bigint;
    }
  | {
      readonly kind: 'pointer';
      /** The text's own number; absent where syzkaller chooses a place. */
      readonly address: bigint | undefined;
      /** Bytes of memory that the pointer names, where it says so. */
      readonly length: bigint | undefined;
      /** The content is a list of bytes and results, whatever the call's struct. */
      readonly isAny: boolean;
      readonly content: SyzArgument | undefined;
    }
  /** Text or hexadecimal digits. `length` fills the bytes up with zeros, or cuts them; `isPacked` for compressed ones. */
  | {
      readonly kind: 'data';
      readonly bytes: Uint8Array;
      readonly length: bigint | undefined;
      readonly isPacked: boolean;
    }
  | { readonly kind: 'struct'; readonly fields: readonly SyzArgument[] }
  | { readonly kind: 'array'; readonly elements: readonly SyzArgument[] }
  | { readonly kind: 'union'; readonly option: string; readonly value: SyzArgument | undefined }
  /** "<r1=>0x0": what the kernel leaves there gets a name. */
  | { readonly kind: 'named'; readonly name: string; readonly value: SyzArgument }
);

export type SyzProperties = {
  readonly isAsync: boolean;
  /** Which allocation of the call fails, from 1; 0 for none. */
  readonly failNth: number;
  /** How often the call is made again. */
  readonly rerun: number;
};

export type SyzCall = {
  /** Counts the file's lines from 1. */
  readonly line: number;
  /** The name of the call's result, where it has one. */
  readonly result: string | undefined;
  /** "ioctl$IOMMU_IOAS_ALLOC". */
  readonly name: string;
  readonly arguments: readonly SyzArgument[];
  readonly properties: SyzProperties;
};
