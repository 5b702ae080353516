/** Two simulations side by side: their curves, and what they come to. */
import type { Simulation } from '../../../../operate/scale/model/model.ts';
import { Chart } from '../chart.tsx';
import { compared, sampled } from '../experiment.ts';
import { count, duration, mark } from '../words.ts';

const LINES = [
  { label: 'Today', colour: '--today', stepped: true, dashed: true },
  { label: 'Proposed', colour: '--proposed', stepped: true, filled: true },
];

export function Curves({ runs, what, title }: { runs: Runs; what: 'replicas' | 'lag'; title: string }) {
  const seconds = Math.max(runs.today.seconds, runs.proposed.seconds);
  const most = (run: Simulation): number => run[what].reduce((high, [, value]) => Math.max(high, value), 0);
  return (
    <section class="panel" aria-label={title}>
      <h2>{title}</h2>
      <p class="key" aria-hidden="true">
        <span class="today">today</span>
        <span>proposed</span>
      </p>
      <Chart
        data={sampled([runs.today[what], runs.proposed[what]], seconds)}
        lines={LINES}
        height={190}
        axes
        xLabel={mark}
        says={`${title} over ${duration(seconds * 1_000)}: at most ${count(most(runs.today))} today, ${count(most(runs.proposed))} as proposed`}
      />
    </section>
  );
}

export const Outcome = ({ runs }: { runs: Runs }) => (
  <section class="panel" aria-label="What it comes to">
    <h2>What it comes to</h2>
    <div class="scroll">
      <table>
        <caption class="unseen">Today's rule and the proposed one under the same load</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="unseen">What</span>
            </th>
            <th scope="col" class="number">
              Today
            </th>
            <th scope="col" class="number">
              Proposed
            </th>
            <th scope="col" class="number">
              Change
            </th>
          </tr>
        </thead>
        <tbody>
          {compared(runs.today, runs.proposed).map((row) => (
            <tr key={row.title}>
              <th scope="row">{row.title}</th>
              <td class="number">{row.today}</td>
              <td class="number">{row.proposed}</td>
              <td class={`number ${row.verdict}`}>{row.change}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </section>
);

export type Runs = { readonly today: Simulation; readonly proposed: Simulation };
