// SPDX-License-Identifier: MIT
// A chart as SVG: a line for each series, both axes by powers of ten.

export type Series = {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
};

export type Chart = {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly series: readonly Series[];
};

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 80;
const RIGHT = 150;
const TOP = 44;
const BOTTOM = 56;
const COLOURS = ['#2171b5', '#e67e22', '#27ae60', '#8e44ad'];

type Axis = { readonly from: number; readonly to: number };

const powers = (values: readonly number[]): Axis => {
  const from = Math.floor(Math.log10(Math.min(...values)));
  return { from, to: Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values)))) };
};

const ticks = ({ from, to }: Axis): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

const number = (power: number): string =>
  power < 0
    ? (10 ** power).toFixed(-power)
    : (10 ** power).toLocaleString('en').replaceAll(',', ' ');

const text = (x: number, y: number, words: string, anchor = 'middle'): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${words}</text>`;

export const chartSvg = ({ title, xTitle, yTitle, series }: Chart): string => {
  const points = series.flatMap((one) => one.points);
  const xAxis = powers(points.map(({ x }) => x));
  const yAxis = powers(points.map(({ y }) => y));
  const at = (axis: Axis, power: number, from: number, to: number): number =>
    from + ((power - axis.from) / (axis.to - axis.from)) * (to - from);
  const xAt = (power: number): number => at(xAxis, power, LEFT, WIDTH - RIGHT);
  const yAt = (power: number): number => at(yAxis, power, HEIGHT - BOTTOM, TOP);
  const grid = [
    ...ticks(xAxis).map(
      (power) =>
        `<path d="M${xAt(power)} ${TOP}V${HEIGHT - BOTTOM}" stroke="#ddd"/>${text(xAt(power), HEIGHT - BOTTOM + 18, number(power))}`,
    ),
    ...ticks(yAxis).map(
      (power) =>
        `<path d="M${LEFT} ${yAt(power)}H${WIDTH - RIGHT}" stroke="#ddd"/>${text(LEFT - 8, yAt(power) + 4, number(power), 'end')}`,
    ),
  ];
  const lines = series.flatMap((one, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const places = one.points.map(({ x, y }) => [xAt(Math.log10(x)), yAt(Math.log10(y))] as const);
    const path = places.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
    const [endX, endY] = places.at(-1) ?? [0, 0];
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...places.map(
        ([x, y]) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3" fill="${colour}"/>`,
      ),
      text(endX + 8, endY + 4, one.name, 'start'),
    ];
  });
  return [
    `<svg role="img" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(LEFT, 20, title, 'start'),
    text(LEFT, 36, yTitle, 'start'),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, xTitle),
    ...grid,
    ...lines,
    '</svg>\n',
  ].join('\n');
};
