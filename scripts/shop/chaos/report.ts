/** What a run has come to → a table, a row a fault, and the list of what was wrong. Pure. */
import type { Violation } from './check/violation.ts';
import type { Injected } from './faults.ts';
import type { Result } from './run.ts';
import type { Answer } from './snapshot.ts';

/** From one fault to the next; of the last one, to the end. */
type Window = Injected & { readonly next: number };

const windowsOf = (injected: readonly Injected[]): Window[] =>
  injected.map((fault, index) => ({ ...fault, next: injected[index + 1]?.from ?? Number.POSITIVE_INFINITY }));

const isDone = ({ status }: Answer): boolean => status === 201;

/** From the end of the fault to the answer to the first order that was sent after it. */
function recoveryMs({ to }: Window, answers: readonly Answer[]): number[] {
  const after = answers.filter((answer) => answer.what === 'orders' && isDone(answer) && answer.sentAt >= to);
  return after.length === 0 ? [] : [Math.min(...after.map(({ answeredAt }) => answeredAt)) - to];
}

const median = (sorted: readonly number[]): number | undefined => sorted[Math.floor((sorted.length - 1) / 2)];
const seconds = (ms: number | undefined): string => (ms === undefined ? '-' : `${(ms / 1_000).toFixed(1)} s`);

function rowOf(name: string, windows: readonly Window[], { snapshot: { answers }, violations }: Result): string[] {
  const within = (at: number): boolean => windows.some(({ from, next }) => at >= from && at < next);
  const acknowledged = answers.filter((answer) => isDone(answer) && within(answer.answeredAt));
  const keys = new Set(acknowledged.map(({ key }) => key));
  const count = (kind: Violation['kind']): number =>
    violations.filter((one) => one.kind === kind && one.key !== undefined && keys.has(one.key)).length;
  // The others were cut short, or made longer, by the next fault.
  const alone = windows.filter((window) => window.alone);
  const recovered = alone.flatMap((window) => recoveryMs(window, answers)).sort((a, b) => a - b);
  const numbers = [windows.length, acknowledged.length, count('lost'), count('doubled')].map(String);
  return [name, ...numbers, seconds(median(recovered)), seconds(recovered.at(-1))];
}

function toTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(cell).join('  ')).join('\n');
}

/** Violations that are listed: where there are more, they have one cause. */
const LISTED = 40;
const HEADINGS = ['fault', 'times', 'acknowledged', 'lost', 'doubled', 'recovery p50', 'max'];

export function report(result: Result): string {
  const { injected, impossible, snapshot, violations, internalErrors, settledMs, kept } = result;
  const windows = windowsOf(injected);
  const names = [...new Set(injected.map(({ name }) => name))].sort();
  const of = (kind: Violation['kind']): string => String(violations.filter((one) => one.kind === kind).length);
  const acknowledged = String(snapshot.answers.filter(isDone).length);
  const rows = [
    HEADINGS,
    ...names.map((name) =>
      rowOf(
        name,
        windows.filter((window) => window.name === name),
        result,
      ),
    ),
    ['in all', String(injected.length), acknowledged, of('lost'), of('doubled'), '', ''],
  ];
  const { events, users, mails, deadLetters } = snapshot;
  const orders = new Set(events.map(({ orderId }) => orderId)).size;
  return [
    toTable(rows),
    ...[...impossible].map(([name, why]) => `${name}  not injected: ${why}`),
    '',
    `${orders} orders, ${events.length} events, ${users.length} users, ${mails.length} e-mails, ${deadLetters.length} dead letters;`,
    `quiet ${seconds(settledMs)} after the last fault; ${internalErrors.length} answers with 500`,
    ...new Set(internalErrors),
    ...violations.slice(0, LISTED).map(({ kind, detail }) => `  ${kind}: ${detail}`),
    ...(violations.length > LISTED ? [`  and ${violations.length - LISTED} more`] : []),
    ...(kept === undefined ? [] : [`its data and logs are in ${kept}`]),
  ].join('\n');
}
