/** A plot → an SVG file: axes with ticks and labels, a line a series, a legend; light or dark as the reader has it. Pure. */
export type Axis = { readonly label: string; readonly logarithmic?: boolean };
export type Plot = {
  /** Name of its file, without the ending. */
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly { readonly name: string; readonly points: readonly (readonly [number, number])[] }[];
};

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 72;
const RIGHT = 20;
const TOP = 64;
const BOTTOM = 52;
const TICKS = 6;

/** Told apart on white and on black, and by those who see no red or no green. */
const COLOURS = ['#2f7ed8', '#d9822b', '#1a9e76', '#c2528b', '#8a6fd1', '#8c8c8c'];
const STYLE = `text { font: 12px system-ui, sans-serif; fill: #24292f } .title { font-size: 15px; font-weight: 600 }
.grid { stroke: #d0d7de } .axis { stroke: #57606a } .line { fill: none; stroke-width: 2 } .paper { fill: #fff }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .grid { stroke: #30363d } .axis { stroke: #8b949e } .paper { fill: #0d1117 }
}`;

type Scale = { readonly ticks: readonly number[]; at(value: number): number };

/** 1, 2 or 5 times a power of ten: the step that makes about TICKS of a span. */
function stepOf(span: number): number {
  const rough = span / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
}

function linear(values: readonly number[], from: number, to: number): Scale {
  const least = Math.min(0, ...values);
  const step = stepOf(Math.max(...values, least + 1e-9) - least);
  const first = Math.floor(least / step);
  const last = Math.max(first + 1, Math.ceil(Math.max(...values) / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  const share = (value: number): number => (value / step - first) / (last - first);
  return { ticks, at: (value) => from + share(value) * (to - from) };
}

/** What is not above zero has no place on it, and is drawn at its lower end. */
function logarithmic(values: readonly number[], from: number, to: number): Scale {
  const positive = values.filter((value) => value > 0);
  const first = Math.floor(Math.log10(Math.min(...positive)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...positive)) - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
  const share = (value: number): number => (Math.max(first, Math.log10(value)) - first) / (last - first);
  return { ticks, at: (value) => from + share(value) * (to - from) };
}

function scaleOf(axis: Axis, all: readonly number[], from: number, to: number): Scale {
  const values = all.filter(Number.isFinite);
  const usable = values.length > 0 ? values : [0, 1];
  return axis.logarithmic && usable.some((value) => value > 0)
    ? logarithmic(usable, from, to)
    : linear(usable, from, to);
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => ESCAPES[character] ?? '');
const place = (value: number): string => String(Math.round(value * 10) / 10);
const label = (value: number): string => Number(value.toPrecision(6)).toLocaleString('en');

const text = (x: number, y: number, words: string, attributes = ''): string =>
  `<text x="${place(x)}" y="${place(y)}" ${attributes}>${escaped(words)}</text>`;
const stroke = (kind: string, x1: number, y1: number, x2: number, y2: number): string =>
  `<line class="${kind}" x1="${place(x1)}" y1="${place(y1)}" x2="${place(x2)}" y2="${place(y2)}"/>`;

function axes({ x, y }: Plot, across: Scale, up: Scale): string[] {
  const [right, bottom] = [WIDTH - RIGHT, HEIGHT - BOTTOM];
  const middle = (TOP + bottom) / 2;
  return [
    ...up.ticks.flatMap((tick) => [
      stroke('grid', LEFT, up.at(tick), right, up.at(tick)),
      text(LEFT - 8, up.at(tick) + 4, label(tick), 'text-anchor="end"'),
    ]),
    ...across.ticks.flatMap((tick) => [
      stroke('axis', across.at(tick), bottom, across.at(tick), bottom + 5),
      text(across.at(tick), bottom + 20, label(tick), 'text-anchor="middle"'),
    ]),
    stroke('axis', LEFT, bottom, right, bottom),
    stroke('axis', LEFT, TOP, LEFT, bottom),
    text((LEFT + right) / 2, HEIGHT - 12, x.label, 'text-anchor="middle"'),
    text(16, middle, y.label, `text-anchor="middle" transform="rotate(-90 16 ${place(middle)})"`),
  ];
}

function lines({ series }: Plot, across: Scale, up: Scale): string[] {
  const width = (WIDTH - LEFT - RIGHT) / Math.max(1, series.length);
  return series.flatMap(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? '';
    const drawn = points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
    const through = drawn.map(([x, y]) => `${place(across.at(x))},${place(up.at(y))}`).join(' ');
    const from = LEFT + index * width;
    return [
      `<polyline class="line" stroke="${colour}" points="${through}"/>`,
      `<rect x="${place(from)}" y="42" width="14" height="4" fill="${colour}"/>`,
      text(from + 20, 48, name),
    ];
  });
}

export function toSvg(plot: Plot): string {
  const points = plot.series.flatMap((one) => one.points);
  const across = scaleOf(
    plot.x,
    points.map(([x]) => x),
    LEFT,
    WIDTH - RIGHT,
  );
  const up = scaleOf(
    plot.y,
    points.map(([, y]) => y),
    HEIGHT - BOTTOM,
    TOP,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(plot.title)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${HEIGHT}"/>`,
    text(LEFT, 26, plot.title, 'class="title"'),
    ...axes(plot, across, up),
    ...lines(plot, across, up),
    '</svg>\n',
  ].join('\n');
}
