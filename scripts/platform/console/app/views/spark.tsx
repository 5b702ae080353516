/** One figure of a function and its last minutes, small. */
import { useRef } from 'preact/hooks';
import type { FunctionNow, Series } from '../../wire.ts';
import { Chart } from '../chart.tsx';
import { count } from '../words.ts';

const SHOWN = { lag: 'lag', replicas: 'replicas', rate: 'handled a second' } as const;
const NOTHING: readonly number[] = [0, 0];

type Shown = keyof typeof SHOWN;

const nowOf = (fn: FunctionNow, what: Shown): string => {
  const value = fn[what];
  return value === null ? '–' : count(value);
};

export function Spark({ fn, series, what }: { fn: FunctionNow; series: Series | undefined; what: Shown }) {
  const values = series?.[what] ?? NOTHING;
  const most = values.reduce((high, value) => Math.max(high, value), 0);
  // The same picture when nothing happens: it is not drawn again.
  const data = useStill(values, most === 0);
  return (
    <div class={most === 0 ? 'spark still' : 'spark'}>
      <span class="figure">
        <b>{nowOf(fn, what)}</b>
        {what === 'replicas' ? <span class="quiet"> of {fn.max}</span> : null}
        {what === 'rate' ? <span class="quiet">/s</span> : null}
      </span>
      <Chart
        data={data}
        lines={[{ label: what, colour: `--${what}`, stepped: what === 'replicas', filled: true }]}
        height={30}
        atLeast={60}
        says={`${SHOWN[what]} of ${fn.name}: ${nowOf(fn, what)} now, at most ${count(most)} in the last minutes`}
      />
    </div>
  );
}

function useStill(values: readonly number[], still: boolean): readonly (readonly number[])[] {
  const kept = useRef<readonly (readonly number[])[]>([[0, 1], NOTHING]);
  const wasStill = useRef(false);
  if (!(still && wasStill.current)) kept.current = [values.map((_, index) => index - values.length + 1), values];
  wasStill.current = still;
  return kept.current;
}
