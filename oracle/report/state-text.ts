// SPDX-License-Identifier: MIT
// The state around a call as text: IOVA maps, objects, memory, descriptors, charges.

import { match } from 'ts-pattern';
import { pageSizesText } from '../text/field-text.ts';
import { columns, indented } from '../text/lines.ts';
import { accessesText } from '../text/object-text.ts';
import type { Palette } from '../text/palette.ts';
import { count, grouped, hex, range, size as sizeText } from '../text/quantities.ts';
import { type ContainerAround, containerFacts, containerTitle } from './container-state.ts';
import type { MapLine } from './iova-map.ts';
import type { IoasAround, MappingAround, StateAround } from './state.ts';

/** Addresses of equal width, so that a map is aligned. */
const address = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`;

const span = (start: bigint, last: bigint): string => `${address(start)} - ${address(last)}`;

const since = (call: string | undefined): string => (call === undefined ? '' : `, since ${call}`);

/** A mark for the range of the call, the IOVAs, and the entry. */
const mapRow = (line: MapLine, noun: 'area' | 'map'): readonly string[] =>
  match(line)
    .with({ kind: 'wanted' }, ({ start, last, what }) => ['>', span(start, last), what])
    .with({ kind: 'area' }, { kind: 'map' }, (area) => [
      ' ',
      span(area.start, area.last),
      `${area.kind} ${area.access}, ${sizeText(area.length)}, ${area.memory}${since(area.since)}`,
    ])
    .with({ kind: 'reserved' }, ({ start, last, by }) => [' ', span(start, last), `reserved ${by}`])
    .with({ kind: 'omitted' }, (omitted) => [' ', '...', count(omitted.count, `more ${noun}`)])
    .exhaustive();

const mapText = (
  lines: readonly MapLine[],
  noun: 'area' | 'map',
  palette: Palette,
): readonly string[] =>
  columns(lines.map((line) => mapRow(line, noun))).map((text, index) => {
    const kind = lines[index]?.kind;
    if (kind === 'wanted') return palette.title(text);
    return kind === 'reserved' || kind === 'omitted' ? palette.faint(text) : text;
  });

const ioasText = (ioas: IoasAround, palette: Palette): readonly string[] => {
  const name = `IOAS ${ioas.id}${ioas.ofVfio ? ', the one of VFIO calls' : ''}`;
  const accesses = ioas.accesses.length === 0 ? [] : [`used by ${accessesText(ioas.accesses)}`];
  const allowed =
    ioas.allowed.length === 0
      ? []
      : [`only allowed: ${ioas.allowed.map(({ start, last }) => range(start, last)).join(', ')}`];
  const domains = ioas.domains.map(
    ({ hwpt, iommu, pageSizes, aperture }) =>
      `hwpt ${hwpt} (IOMMU "${iommu}") translates ${range(aperture.start, aperture.last)} with pages of ${pageSizesText(pageSizes)}`,
  );
  return [
    `${palette.title(name)}: ${count(ioas.areas, 'area')}, alignment ${sizeText(ioas.alignment)}, large pages ${ioas.largePages}`,
    ...indented(
      [
        ...(domains.length === 0 ? ['no domain: nothing is pinned for devices'] : domains),
        ...accesses,
        ...allowed,
        ...mapText(ioas.map, 'area', palette),
      ],
      '  ',
    ),
  ];
};

const containerText = (around: ContainerAround, palette: Palette): readonly string[] => {
  const [name, rest] = containerTitle(around);
  const lines = [...containerFacts(around), ...mapText(around.map, 'map', palette)];
  return [`${palette.title(name)}: ${rest}`, ...indented(lines, '  ')];
};

const memoryText = (
  memory: readonly MappingAround[],
  isWhole: boolean,
  palette: Palette,
): readonly string[] => {
  if (memory.length === 0) return [];
  const title = isWhole
    ? "the program's memory there"
    : "the program's memory there, as far as the recording shows";
  const rows = memory.map(({ start, last, what, meets }) => [
    meets ? '>' : ' ',
    span(start, last),
    what,
  ]);
  return [palette.title(title), ...indented(columns(rows), '  ')];
};

const chargedText = ({ charged }: StateAround): string => {
  const limit =
    charged.notStated !== undefined
      ? charged.notStated
      : charged.limit === undefined
        ? 'no limit'
        : `a limit of ${grouped(charged.limit / 4096n)} pages (${hex(charged.limit)} bytes)`;
  const mode =
    charged.accounting === undefined
      ? ''
      : `; maps of this iommufd count for the ${charged.accounting}`;
  const pages = `VmLck ${charged.process}, VmPin ${charged.pinned}, the user's ${charged.user}`;
  return `in pages: ${pages}; ${limit}${mode}`;
};

const omitted = (number: number, what: string): readonly string[] =>
  number === 0 ? [] : [`... ${count(number, `more ${what}`)}`];

/** The state as lines, without a title. */
export const stateText = (state: StateAround, palette: Palette): readonly string[] => {
  const objects = state.objects.map(({ id, what, usedBy, since: made }) => [
    `${id}`,
    [
      what.includes('used by') ? what : `${what}; used by ${usedBy}`,
      ...(made === undefined ? [] : [`made in ${made}`]),
    ].join('; '),
  ]);
  const descriptors = state.descriptors.map(({ fd, what }) => [`${fd}`, what]);
  return [
    ...state.ioases.flatMap((ioas) => ioasText(ioas, palette)),
    ...state.containers.flatMap((container) => containerText(container, palette)),
    ...memoryText(state.memory, state.memoryIsWhole, palette),
    ...(objects.length === 0
      ? []
      : [
          palette.title('objects of the iommufd'),
          ...indented([...columns(objects), ...omitted(state.objectsOmitted, 'object')], '  '),
        ]),
    ...(descriptors.length === 0
      ? []
      : [
          palette.title('descriptors of the process'),
          ...indented(
            [...columns(descriptors), ...omitted(state.descriptorsOmitted, 'descriptor')],
            '  ',
          ),
        ]),
    `${palette.title('locked memory')}  ${chargedText(state)}`,
  ];
};
