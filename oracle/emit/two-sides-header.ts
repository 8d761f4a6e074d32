// SPDX-License-Identifier: MIT
// The header of the C files that make the same calls on two containers.

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
  'The header of the files in this folder. Each file makes the same calls on /dev/vfio/vfio and on /dev/iommu, in separate',
  'processes, and prints the results side by side. To compile and run one:',
  '',
  '    cc NAME.c -o NAME && ./NAME',
  '',
  'Its head comment has the replies of each side and the devices that it takes as arguments. It expects the replies of the',
  "running kernel's series. On a kernel of another series the results may be those of any release that it describes.",
  '',
  'Exit status: 0 both sides reply as described, 1 they do not, 2 the setup fails, 3 this machine lacks something (a device,',
  'permission, a parameter).',
];

const RELEASE_LINES: readonly CText[] = [
  c`/* The releases that the files describe. */`,
  c`enum release { ${cJoin(AUDITED_RELEASES.map(releaseConstant), c`, `)}, RELEASES };`,
  c``,
  c`static const char *const release_names[RELEASES] = { ${cJoin(AUDITED_RELEASES.map(cString), c`, `)} };`,
  c``,
  c`/* The results of a call, or a number in memory after it. */`,
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
  c`/* The results of one side, in order. */`,
  c`struct side {`,
  c`\tlong *values;`,
  c`\tunsigned long count, room;`,
  c`};`,
  c``,
  c`static struct side *side;`,
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
