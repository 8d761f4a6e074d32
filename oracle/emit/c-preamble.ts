// SPDX-License-Identifier: MIT
// The beginning of every C file: headers, the arena's address, and results that stand for many.

import { ARENA_LENGTH, type Region } from '../../model/programs/arena.ts';
import { type CText, c, cHex } from './c-text.ts';
import { regionName } from './c-values.ts';

export const INCLUDES: readonly CText[] = [
  c`#define _GNU_SOURCE`,
  c`#include <errno.h>`,
  c`#include <fcntl.h>`,
  c`#include <glob.h>`,
  c`#include <grp.h>`,
  c`#include <limits.h>`,
  c`#include <stdio.h>`,
  c`#include <stdlib.h>`,
  c`#include <string.h>`,
  c`#include <sys/ioctl.h>`,
  c`#include <sys/mman.h>`,
  c`#include <sys/resource.h>`,
  c`#include <sys/wait.h>`,
  c`#include <unistd.h>`,
  c`#include <linux/types.h>`,
  c`#include <linux/vfio.h>`,
  c`#if __has_include(<linux/iommufd.h>)`,
  c`#include <linux/iommufd.h>`,
  c`#endif`,
  c``,
];

/** `base` is where the arena begins. */
export const arenaLines = (base: bigint, regions: readonly Region[]): readonly CText[] => [
  c`/* Where the memory of the calls lies. */`,
  c`#define ARENA ${cHex(base)}UL`,
  c`#define ARENA_LENGTH ${cHex(ARENA_LENGTH)}UL`,
  ...regions.map(({ name, offset }) => c`#define ${regionName(name)} (ARENA + ${cHex(offset)})`),
  c``,
];

export const resultLines = (usesAnything: boolean): readonly CText[] => [
  c`#ifndef MAP_FIXED_NOREPLACE`,
  c`#define MAP_FIXED_NOREPLACE 0x100000`,
  c`#endif`,
  c``,
  c`/* Results that stand for many. */`,
  c`#define A_DESCRIPTOR LONG_MAX`,
  ...(usesAnything ? [c`#define ANYTHING LONG_MIN`] : []),
  c``,
  c`static FILE *out;`,
  c``,
];
