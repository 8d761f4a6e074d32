// SPDX-License-Identifier: MIT
// The header of the C files that make the same calls on two containers: all that they share.

import { ARENA_BASE, REGIONS } from '../../model/programs/arena.ts';
import { ERRNO } from '../../spec/abi/errno.ts';
import { AUDITED_RELEASES, type AuditedRelease } from './audited-releases.ts';
import { twoSidesHelpers } from './c-helpers.ts';
import { arenaLines, INCLUDES, resultLines } from './c-preamble.ts';
import { type CText, c, cCommentBlock, cJoin, cName, cString } from './c-text.ts';

export const HEADER_NAME = 'audit.h';

/** "LINUX_6_12_95": the release in C. */
export const releaseConstant = (release: AuditedRelease): CText =>
  cName(`LINUX_${release.replaceAll('.', '_')}`);

const ABOUT = [
  'What the files of this folder share. Each makes the same calls on /dev/vfio/vfio and on /dev/iommu, each time in a',
  'process of its own, and prints side by side what they give. To compile one and to run it:',
  '',
  '    cc NAME.c -o NAME && ./NAME',
  '',
  'Its head comment says what each side answers, and which devices it takes as arguments. The answers that it expects are',
  "those of the running kernel's series. A kernel of a series that is not described may answer as any release that is.",
  '',
  'Exit status: 0 both sides answer as described, 1 they do not, 2 the program cannot set itself up, 3 this machine lacks',
  'something (a device, permission, a parameter).',
];

const RELEASE_LINES: readonly CText[] = [
  c`/* The releases that are described. */`,
  c`enum release { ${cJoin(AUDITED_RELEASES.map(releaseConstant), c`, `)}, RELEASES };`,
  c``,
  c`static const char *const release_names[RELEASES] = { ${cJoin(AUDITED_RELEASES.map(cString), c`, `)} };`,
  c``,
  c`/* What a call gives, or a number that is in memory afterwards. */`,
  c`struct answers {`,
  c`\tlong type1, iommufd;`,
  c`};`,
  c``,
  c`struct call {`,
  c`\tconst char *text;`,
  c`\tstruct answers in[RELEASES];`,
  c`\tint is_number;`,
  c`};`,
  c``,
  c`#define ALL_RELEASES ((1u << RELEASES) - 1)`,
  c`#define IN_EACH(type1, iommufd) { [0 ... RELEASES - 1] = { type1, iommufd } }`,
  c`#define COUNT(calls) (sizeof(calls) / sizeof((calls)[0]))`,
  c``,
  c`/* What the calls gave on one side, in their order. */`,
  c`struct side {`,
  c`\tlong *values;`,
  c`\tunsigned long count, room;`,
  c`};`,
  c``,
  c`static struct side *seen;`,
  c`static const char *container;`,
  c``,
];

const ERROR_LINES: readonly CText[] = [
  c`static inline const char *error_name(long error)`,
  c`{`,
  c`\tswitch (error) {`,
  ...Object.keys(ERRNO).map((name) => c`\tcase ${cName(name)}: return ${cString(name)};`),
  c`\t}`,
  c`\treturn NULL;`,
  c`}`,
  c``,
];

export const twoSidesHeader = (): CText =>
  cJoin(
    [
      cCommentBlock(ABOUT),
      c`#ifndef AUDIT_H`,
      c`#define AUDIT_H`,
      c``,
      ...INCLUDES,
      c`#include <sys/utsname.h>`,
      c``,
      ...arenaLines(ARENA_BASE, REGIONS),
      ...resultLines(false),
      ...RELEASE_LINES,
      ...ERROR_LINES,
      ...twoSidesHelpers,
      c`#endif`,
      c``,
    ],
    c`\n`,
  );
