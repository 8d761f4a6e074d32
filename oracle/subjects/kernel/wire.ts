// SPDX-License-Identifier: MIT
// The protocol between the subject and its runner, in words of 32 bits, little-endian. Numbers of 64
// bits are two words, the lower first; bytes are padded with zeros to whole words. Handles are slots: an
// operation's output is stored in one, and patched into the operations that use it.
//
//   batch       1 if each program gets memory that none had before, else 0; path count, { length, bytes } of each; program count, programs
//   program     operation count, slot count, operations
//   operation   kind, its words in all, patch count, capture count, patches, captures, body
//   patch       byte position in the operation, width | slot << 8
//   capture     slot, field's offset in the struct or WHOLE_RESULT, field's width
//   body        open: path    close: fd    memfd: length (2)    munmap: arena offset (2), length (2)
//               mmap: arena offset (2), length (2), protection | shared << 4 | backing << 8, fd, file offset (2)
//               store: span
//               dma: fd, direction, iova (2), length, span count, span of zeros where it is looked
//               status: field
//               ioctl: fd, command, argument (2), span count, spans
//   span     address (2), length, bytes
//
//   results     program count, of each: status, operations done, first operation during which the kernel
//               complained or -1, text length, results of operations, text
//   result      result or -errno; of ioctl and dma, then the memory of each span before the call, then after it
//   memory      UNCHANGED from what was put there, or length and bytes of what can be read

export const OPEN = 0;
export const CLOSE = 1;
export const IOCTL = 2;
export const MEMFD = 3;
export const MMAP = 4;
export const MUNMAP = 5;
export const STORE = 6;
export const DMA = 7;
export const STATUS = 8;

export const HEADER_WORDS = 4;
export const WHOLE_RESULT = -1;
export const UNCHANGED = -1;

export const COMPLETE = 0;
export const REFUSED = 1;

export const PROTECTIONS = ['none', 'read', 'read-write'] as const;
export const DIRECTIONS = ['read', 'write'] as const;
export const STATUS_FIELDS = ['VmLck', 'VmPin'] as const;
export const BACKINGS = ['anonymous', 'memfd', 'device', 'huge'] as const;

const EMPTY = 1024;

/** Words that grow. */
export class WordWriter {
  words = new Int32Array(EMPTY);
  length = 0;

  /** Room for that many more. */
  reserve(count: number): void {
    if (this.length + count <= this.words.length) return;
    const larger = new Int32Array(Math.max(this.words.length * 2, this.length + count));
    larger.set(this.words);
    this.words = larger;
  }

  push(word: number): void {
    this.reserve(1);
    this.words[this.length] = word;
    this.length += 1;
  }

  /** A u64. */
  pushWide(value: bigint): void {
    this.push(Number(BigInt.asIntN(32, value)));
    this.push(Number(BigInt.asIntN(32, value >> 32n)));
  }

  /** Padded; without their length. */
  pushBytes(bytes: Uint8Array): void {
    const count = (bytes.length + 3) >> 2;
    this.reserve(count);
    new Uint8Array(this.words.buffer, this.length * 4, bytes.length).set(bytes);
    this.length += count;
  }

  finished(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.words.buffer, 0, this.length * 4);
  }
}
