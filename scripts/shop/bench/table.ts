/** Outcomes → one table in Markdown whose columns are aligned, so that it can be read as it is; notes and failures below. Pure. */
import type { Row } from './part.ts';
import { isReached, type Outcome, ratioOf } from './results.ts';

const HEADINGS = ['part', 'what', 'value', 'baseline', 'ratio', 'reach', 'stretch', 'reached'];

/** Three digits that count, and no more than two behind the point. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size > 0 && size < 0.095) return value.toPrecision(2);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

const SIGNS = { 'at most': '≤', 'at least': '≥' } as const;

function verdict(row: Row): string {
  const reached = isReached(row);
  if (reached === undefined) return '';
  return reached ? 'yes' : 'no';
}

/** No more than two digits behind the point, and no zeros at the end. */
const rounded = (ratio: number): string => String(Number(ratio.toFixed(2)));

function cellsOf(part: string, row: Row): string[] {
  const { what, value, unit, baseline, reach } = row;
  return [
    part,
    what,
    `${number(value)} ${unit}`,
    `${number(baseline.value)} ${unit}, ${baseline.what}`,
    `${number(ratioOf(row))} ×`,
    reach ? `${SIGNS[reach.is]} ${rounded(reach.ratio)} ×` : '',
    reach?.stretch === undefined ? '' : `${rounded(reach.stretch)} ×`,
    verdict(row),
  ];
}

const rowsOf = ({ name, result }: Outcome): string[][] =>
  'failed' in result ? [[name, 'failed', '', '', '', '', '', '']] : result.rows.map((row) => cellsOf(name, row));

function aligned(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = HEADINGS.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  const [head = [], ...body] = cells;
  return [line(head), rule, ...body.map(line)].join('\n');
}

function remarksOf({ name, result }: Outcome): string[] {
  if ('failed' in result) return [`- ${name} failed: ${result.failed}`];
  return (result.notes ?? []).map((note) => `- ${name}: ${note}`);
}

export function toTable(outcomes: readonly Outcome[]): string {
  const remarks = outcomes.flatMap(remarksOf);
  return [aligned([HEADINGS, ...outcomes.flatMap(rowsOf)]), ...(remarks.length > 0 ? ['', ...remarks] : [])].join('\n');
}
