// SPDX-License-Identifier: MIT
// Differences in hidden state as text: translations of domains, pins and charges, with the state that the
// specification expects.

import { fileDescriptor, objectId } from '../../spec/abi/units.ts';
import { nodesOf } from '../../spec/collections/ordered-map.ts';
import { type Context, hwptAt } from '../../spec/state/context.ts';
import type { FileId } from '../../spec/state/files.ts';
import { fileAt, type World } from '../../spec/state/world.ts';
import type { HiddenDifference } from '../check/hidden.ts';
import { openFiles } from '../decode/call-containers.ts';
import { type CallContext, NOTHING } from '../decode/call-context.ts';
import { indented, wrapped } from '../text/lines.ts';
import type { Palette } from '../text/palette.ts';
import { count } from '../text/quantities.ts';
import { hiddenDifferencesShown, type Verbosity } from '../text/verbosity.ts';
import { stateAround } from './state.ts';
import { stateText } from './state-text.ts';

/** The program's only process. */
const PROCESS = 1;

const differenceText = (
  { where, expected, observed }: HiddenDifference,
  palette: Palette,
): readonly string[] => [
  palette.bad(where),
  ...wrapped(`expected  ${expected}`, '  ', '            '),
  ...wrapped(`observed  ${observed}`, '  ', '            '),
];

/** The likeliest cause of such a difference. */
const likeliestOf = ({ where, expected, observed }: HiddenDifference): string | undefined => {
  if (where === 'pins') {
    return 'pages were unpinned too often or not at all, or pinned once for each domain or copy';
  }
  if (where === 'locked memory') {
    return 'a charge was not returned, was made twice, or went to another account';
  }
  if (expected.startsWith('translates') && observed.startsWith('nothing')) {
    return 'a map, or filling a new domain, skipped this domain, or an unmap removed too much';
  }
  if (expected.startsWith('nothing') && observed.startsWith('translates')) {
    return 'an unmap skipped this domain: a device still reaches memory that the program believes is unmapped';
  }
  return expected.startsWith('translates') && observed.startsWith('translates')
    ? 'the domain translates to another page, with other permissions, or at another IOVA than the areas have'
    : undefined;
};

/** The IOVAs where domains of an iommufd differ, for its map. */
const placesIn = (
  context: Context,
  file: FileId,
  world: World,
  differences: readonly HiddenDifference[],
): CallContext['spans'] =>
  differences.flatMap(({ at, expected, observed }) => {
    if (at === undefined || fileAt(world, PROCESS, fileDescriptor(at.fd)) !== file) return [];
    const hwpt = hwptAt(context, objectId(at.hwpt));
    if (hwpt === undefined) return [];
    const what = `hwpt ${at.hwpt}: expected ${expected}, observed ${observed}`;
    return [{ what, ioas: hwpt.ioas, start: at.iova, length: 1n }];
  });

/** Every expected iommufd, the first with the legacy containers. */
const everythingOf = (
  world: World,
  differences: readonly HiddenDifference[],
): readonly CallContext[] => {
  const contexts: CallContext[] = [];
  for (const { key, value } of nodesOf(world.files)) {
    if (value.kind !== 'iommufd') continue;
    const { context } = value;
    const spans = placesIn(context, key, world, differences);
    contexts.push({ ...NOTHING, file: key, context, spans });
  }
  const [first = NOTHING, ...others] = contexts;
  return [{ ...first, containers: openFiles(world, 'container') }, ...others];
};

/** `world` is the one that the specification expects after the program. */
export const hiddenText = (
  differences: readonly HiddenDifference[],
  world: World,
  verbosity: Verbosity,
  palette: Palette,
): readonly string[] => {
  const shown = differences.slice(0, hiddenDifferencesShown(verbosity));
  const rest = differences.length - shown.length;
  const likeliest = [...new Set(shown.flatMap((difference) => likeliestOf(difference) ?? []))];
  const nothing = { kind: 'open', process: PROCESS, path: '' } as const;
  return [
    `${palette.bad('VIOLATION')}  every reply is allowed, but the machine's hidden state is wrong`,
    '',
    palette.title('Differences'),
    ...indented(
      [
        ...shown.flatMap((difference) => differenceText(difference, palette)),
        ...(rest === 0 ? [] : [`... and ${count(rest, 'more difference')}`]),
      ],
      '  ',
    ),
    '',
    palette.title('Why'),
    ...wrapped(
      'Let the state be as below, which follows from the replies. Then each domain translates exactly what the areas ' +
        'of its IOAS map, each page is pinned once for all areas of one stretch of memory, and as much is charged. But ' +
        'the machine differs: contradiction.',
      '  ',
    ),
    ...likeliest.flatMap((text) =>
      wrapped(`Likeliest: ${text}.`, '  ', '    ').map((line) => palette.doubtful(line)),
    ),
    '',
    palette.title('State that must be'),
    ...everythingOf(world, shown).flatMap((about) =>
      indented(stateText(stateAround(world, nothing, about, verbosity), palette), '  '),
    ),
  ];
};
