/** Values over time as a chart, small or with axes; described in words for screen readers. */
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export type Line = {
  readonly label: string;
  /** Custom property of the style sheet, such as `--lag`. */
  readonly colour: string;
  readonly stepped?: boolean;
  readonly dashed?: boolean;
  readonly filled?: boolean;
};
export type ChartProps = {
  /** x first, in seconds. */
  readonly data: readonly (readonly (number | null)[])[];
  readonly lines: readonly Line[];
  readonly height: number;
  /** For a screen reader: what it shows. */
  readonly says: string;
  readonly axes?: boolean;
  /** x goes back from now, at least this many seconds. */
  readonly atLeast?: number;
  readonly xLabel?: (seconds: number) => string;
};

const DARK = matchMedia('(prefers-color-scheme: dark)');
/** A chart that shows nothing is as high as one that shows a single message. */
const LEAST = 1;
const SECONDS = [1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 21_600];

function optionsOf({ lines, height, axes = false, xLabel, atLeast }: ChartProps, element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    show: axes,
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: `12px ${style.fontFamily}`,
  };
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return {
    width: Math.max(40, element.clientWidth),
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: axes ? [8, 12, 0, 0] : [2, 0, 2, 0],
    scales: {
      x: { time: false, ...(atLeast ? { range: (_, first) => [Math.min(first ?? 0, -atLeast), 0] } : {}) },
      y: { range: (_, __, most) => [0, Math.max(LEAST, most * 1.05)] },
    },
    axes: [
      {
        ...axis,
        size: axes ? 28 : 0,
        space: 70,
        incrs: SECONDS,
        ...(xLabel ? { values: (_, at) => at.map(xLabel) } : {}),
      },
      { ...axis, size: axes ? 48 : 0, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5] },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        stroke: colour(line.colour),
        width: 1.5,
        points: { show: false },
        ...(line.filled ? { fill: colour(`${line.colour}-fill`) } : {}),
        ...(line.dashed ? { dash: [5, 4] } : {}),
        ...(line.stepped && stepped ? { paths: stepped } : {}),
      })),
    ],
  };
}

export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const [dark, setDark] = useState(DARK.matches);
  const data = props.data as uPlot.AlignedData;

  useEffect(() => {
    const change = (): void => setDark(DARK.matches);
    DARK.addEventListener('change', change);
    return () => DARK.removeEventListener('change', change);
  }, []);

  // Made anew when its colours are others; new values are given to the one that is there.
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const made = new uPlot(optionsOf(props, element), data, element);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: props.height }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [dark, props.height, props.axes]);

  useEffect(() => plot.current?.setData(data), [data]);
  return <div ref={place} class="chart" style={{ height: props.height }} role="img" aria-label={props.says} />;
}
