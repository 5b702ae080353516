/** One function: its rule, why it has its replicas, and its last minutes. */

import { useAsked } from '../ask.ts';
import { Chart } from '../chart.tsx';
import { useLive } from '../live.ts';
import { Badge, Empty, Heading, Problem, Time, Waiting } from '../parts.tsx';
import { linkTo } from '../route.ts';
import { count, time, wakefulness } from '../words.ts';

const CHARTS = [
  ['replicas', 'Replicas'],
  ['lag', 'Lag'],
  ['rate', 'Handled a second'],
] as const;

const EVERY_MS = 1_000;

const ago = (seconds: number): string => {
  if (seconds === 0) return 'now';
  return seconds > -60 ? `${-seconds} s ago` : `${count(-seconds / 60)} min ago`;
};

const INSTANT = /(\d{4}-\d\d-\d\dT[\d:.]+Z)/;

/** A line with its times as people say them. */
const Line = ({ line }: { line: string }) => (
  <>
    {line.split(INSTANT).map((part, index) =>
      INSTANT.test(part) ? (
        <Time key={index} at={part}>
          {time(part)}
        </Time>
      ) : (
        part
      ),
    )}
  </>
);

/** As `npx millrace scale explain` says it. */
function Why({ name }: { name: string }) {
  const { body, failed } = useAsked<{ lines: readonly string[] }>(
    `functions/${encodeURIComponent(name)}/why`,
    EVERY_MS,
  );
  return (
    <section class="panel" aria-labelledby="why">
      <h2 id="why">Why it has these replicas</h2>
      {failed ? <Problem failed={failed} /> : null}
      <ul class="lines">
        {body?.lines.map((line, index) => (
          <li key={index} class={/^\S+Z {2}/.test(line) ? 'change' : undefined}>
            <Line line={line} />
          </li>
        ))}
      </ul>
    </section>
  );
}

export function FunctionView({ name }: { name: string }) {
  const { functions, series } = useLive();
  const fn = functions.find((one) => one.name === name);
  if (functions.length === 0) return <Waiting />;
  if (!fn)
    return (
      <>
        <Heading>No such function</Heading>
        <Empty>
          There is no function {name}. <a href={linkTo('functions')}>All functions</a>
        </Empty>
      </>
    );
  const own = series[name];
  const change = fn.lastChange;
  const facts: readonly [string, string][] = [
    ['Kind', fn.kind],
    ['Replicas', `${fn.replicas} wanted, ${fn.ready} ready`],
    ['Limits', `${fn.min} to ${fn.max}`],
    ['One replica for', fn.threshold === undefined ? 'not scaled here' : `${count(fn.threshold)} of the lag`],
    ['Lag', `${count(fn.lag)}, of which ${count(fn.pending)} are not begun`],
    ['Handled', fn.rate === null ? 'pushed elsewhere' : `${count(fn.rate)} a second`],
    ['Last change', change ? `${change.from} → ${change.to} at ${time(change.at)}` : 'none yet'],
  ];
  return (
    <>
      <p class="back">
        <a href={linkTo('functions')}>Functions</a>
      </p>
      <Heading>
        {name} <Badge state={wakefulness(fn)} />
      </Heading>
      {fn.problem ? (
        <pre class="problem" role="alert">
          {fn.problem}
        </pre>
      ) : null}
      <dl class="facts">
        {facts.map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Why name={name} />
      {CHARTS.map(([what, title]) => {
        const values = own?.[what] ?? [0, 0];
        const most = values.reduce((high, value) => Math.max(high, value), 0);
        return (
          <section key={what} class="panel">
            <h2>{title}</h2>
            <Chart
              data={[values.map((_, index) => index - values.length + 1), values]}
              lines={[{ label: title, colour: `--${what}`, stepped: what === 'replicas', filled: true }]}
              height={150}
              axes
              atLeast={60}
              xLabel={ago}
              says={`${title}: ${count(values.at(-1) ?? 0)} now, at most ${count(most)} in the last minutes`}
            />
          </section>
        );
      })}
    </>
  );
}
