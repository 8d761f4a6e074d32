// SPDX-License-Identifier: MIT
// The system calls that the kernel subject makes, by FFI on the C library of an x86-64 Linux. Addresses and
// u64 arguments are numbers where a number holds them exactly, and bigints otherwise: numbers are cheaper.

import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

type Word = number | bigint;

/** Result, or -1 with errno(). */
export const openFile: (path: string, flags: number) => number = libc.func(
  'int open(const char *path, int flags)',
);
export const closeFile: (fd: number) => number = libc.func('int close(int fd)');
/** Closes every descriptor from `first` to `last`, both inclusive. */
export const closeRange: (first: number, last: number, flags: number) => number = libc.func(
  'int close_range(unsigned int first, unsigned int last, int flags)',
);
export const duplicate: (fd: number) => number = libc.func('int dup(int fd)');
export const duplicateTo: (fd: number, as: number) => number = libc.func(
  'int dup2(int fd, int as)',
);
export const controlFile: (fd: number, command: number, argument: Word) => number = libc.func(
  'int ioctl(int fd, unsigned long command, uint64_t argument)',
);
export const createMemoryFile: (name: string, flags: number) => number = libc.func(
  'int memfd_create(const char *name, unsigned int flags)',
);
export const truncateFile: (fd: number, length: Word) => number = libc.func(
  'int ftruncate(int fd, int64_t length)',
);
/** The address, or -1 with errno(). */
export const mapMemory: (
  address: Word,
  length: Word,
  protection: number,
  flags: number,
  fd: number,
  offset: Word,
) => Word = libc.func(
  'int64_t mmap(uint64_t address, size_t length, int protection, int flags, int fd, int64_t offset)',
);
export const protectMemory: (address: Word, length: Word, protection: number) => number = libc.func(
  'int mprotect(uint64_t address, size_t length, int protection)',
);
export const lockMemory: (address: Word, length: Word) => number = libc.func(
  'int mlock(uint64_t address, size_t length)',
);
export const unmapMemory: (address: Word, length: Word) => number = libc.func(
  'int munmap(uint64_t address, size_t length)',
);
/** Bytes read, or -1 with errno(). */
export const readFile: (fd: number, buffer: Uint8Array, length: number) => number = libc.func(
  'int64_t read(int fd, _Out_ void *buffer, size_t length)',
);
/** The same from a place in the file. */
export const readAt: (fd: number, buffer: Uint8Array, length: number, offset: number) => number =
  libc.func('int64_t pread(int fd, _Out_ void *buffer, size_t length, int64_t offset)');
export const writeAt: (fd: number, buffer: Uint8Array, length: number, offset: number) => number =
  libc.func('int64_t pwrite(int fd, const void *buffer, size_t length, int64_t offset)');
/** Bytes written, or -1 with errno(). */
export const writeFile: (fd: number, buffer: Uint8Array, length: number) => number = libc.func(
  'int64_t write(int fd, const void *buffer, size_t length)',
);
/** Sets a resource limit of this process: soft and hard as two u64. */
export const setLimit: (
  process: number,
  resource: number,
  limit: BigUint64Array,
  old: null,
) => number = libc.func('int prlimit64(int process, int resource, const void *limit, void *old)');

/** Sets the personality of this thread and its children, and returns the previous one; ASK_PERSONALITY only queries. */
export const personality: (flags: number) => number = libc.func(
  'int personality(unsigned long flags)',
);

const errnoLocation: () => Word = libc.func('uint64_t __errno_location()');
const errnoWord = new Int32Array(koffi.view(BigInt(errnoLocation()), 4));

/** The error number of the last call that failed, on this thread. */
export const errno = (): number => errnoWord[0] ?? 0;

/** The memory of this process at an address; touching what is not mapped kills the process. */
export const memoryAt = (address: bigint, length: number): ArrayBuffer =>
  koffi.view(address, length);

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
export const MFD_CLOEXEC = 1;
export const ASK_PERSONALITY = 0xffff_ffff;
export const ADDR_NO_RANDOMIZE = 0x4_0000;
export const RLIMIT_MEMLOCK = 8;
export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_READ_WRITE = 3;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_HUGETLB = 0x4_0000;
export const MAP_NORESERVE = 0x4000;
export const MAP_POPULATE = 0x8000;
export const MAP_FIXED_NOREPLACE = 0x10_0000;
