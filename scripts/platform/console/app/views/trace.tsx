/** The traces of an aggregate as waterfalls: what was done by whom, what waited for what, and for how long. */
import { useEffect } from 'preact/hooks';
import type { TraceSpan } from '../../wire.ts';
import { useAsked } from '../ask.ts';
import { Empty, Problem } from '../parts.tsx';
import { type Bar, type Waterfall, waterfalls } from '../waterfall.ts';
import { duration, plural, time } from '../words.ts';

const EVERY_MS = 5_000;
/** The first are open. */
const OPEN = 3;
const LEAST_WIDTH = 0.004;

const percent = (part: number): string => `${(part * 100).toFixed(2)}%`;

function BarRow({ bar, begins }: { bar: Bar; begins: number }) {
  const { span, depth, from, width, kind } = bar;
  const ms = span.end - span.start;
  const more = Object.entries(span.attributes)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
  const style = { left: percent(Math.min(from, 1 - LEAST_WIDTH)), width: percent(Math.max(width, LEAST_WIDTH)) };
  return (
    <tr title={more}>
      <th scope="row" style={{ '--depth': Math.min(depth, 10) }}>
        <span class="span-name">{span.name}</span> <span class="quiet">{span.service}</span>
        {span.error ? <span class="failed"> {span.error}</span> : null}
      </th>
      <td class="number wide">+{duration(span.start - begins)}</td>
      <td class="number">{duration(ms)}</td>
      <td class="lane">
        <span class={`bar ${kind}`} style={style} />
      </td>
    </tr>
  );
}

const OneTrace = ({ trace, open }: { trace: Waterfall; open: boolean }) => (
  <details open={open}>
    <summary>
      <b>{trace.title}</b>{' '}
      <span class="quiet">
        {time(trace.start)}, {duration(trace.ms)}, {plural(trace.bars.length, 'span')}
      </span>
    </summary>
    <div class="scroll">
      <table class="waterfall">
        <caption class="unseen">
          Spans of {trace.title}, {duration(trace.ms)}
        </caption>
        <thead>
          <tr>
            <th scope="col">Span</th>
            <th scope="col" class="number wide">
              Began
            </th>
            <th scope="col" class="number">
              Took
            </th>
            <th scope="col">
              <span class="unseen">In time</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {trace.bars.map((bar) => (
            <BarRow key={bar.span.spanId} bar={bar} begins={trace.start} />
          ))}
        </tbody>
      </table>
    </div>
  </details>
);

/** `events`: how many the aggregate has; another one may be another trace. */
export function Trace({ name, id, events }: { name: string; id: string; events: number }) {
  const path = `aggregates/${encodeURIComponent(name)}/${encodeURIComponent(id)}/trace`;
  const { body, failed, again } = useAsked<{ elsewhere: boolean; spans: readonly TraceSpan[] }>(path, EVERY_MS);
  useEffect(again, [events]);
  const traces = waterfalls(body?.spans ?? []);
  return (
    <section class="panel" aria-labelledby="trace">
      <h2 id="trace">Trace</h2>
      {failed ? <Problem failed={failed} /> : null}
      {body?.elsewhere ? (
        <Empty>Traces go to OTEL_EXPORTER_OTLP_ENDPOINT, and none is kept here: look there.</Empty>
      ) : null}
      {body && !body.elsewhere && traces.length === 0 ? <Empty>No trace of it is kept, or not any more.</Empty> : null}
      {traces.length > 0 ? (
        <p class="legend" aria-hidden="true">
          <span class="bar work" /> work <span class="bar wait" /> waits <span class="bar failed" /> failed
        </p>
      ) : null}
      {traces.map((trace, index) => (
        <OneTrace key={trace.traceId} trace={trace} open={index < OPEN} />
      ))}
    </section>
  );
}
