/** Statements as spans of what is done at the moment: their kind and name, never their values. */
import type pg from 'pg';
import { currentTrace, inSpan, recordingCalls } from '../trace.ts';

type Queryable = Pick<pg.ClientBase, 'query'>;
type Statement = string | { readonly name?: string; readonly text: string };

/** Summary of a statement by its name or text; there are as many as are written in the code. */
const summaries = new Map<string, string>();
const MOST_SUMMARIES = 1_000;

/** `INSERT append-parcel-2`, or `SELECT parcels` of a statement without a name. */
export function summaryOf(statement: Statement): string {
  const { name, text } = typeof statement === 'string' ? { text: statement } : statement;
  const key = name ?? text;
  const kept = summaries.get(key);
  if (kept) return kept;
  const [, first = 'sql'] = /^\s*(\w+)/.exec(text) ?? [];
  const [, written] = /\b(insert|update|delete)\b/i.exec(text) ?? [];
  const operation = first.toLowerCase() === 'with' ? (written ?? 'select') : first;
  const [, table = ''] = /\b(?:from|into|update)\s+"?(\w+)/i.exec(text) ?? [];
  const summary = `${operation.toUpperCase()} ${name ?? table}`.trim();
  if (summaries.size < MOST_SUMMARIES) summaries.set(key, summary);
  return summary;
}

/** Does `query` as a span of what is done now. What is asked of no span, such as a probe's question, is not recorded. */
export function asStatement<Result>(statement: Statement, query: () => Promise<Result>): Promise<Result> {
  if (!recordingCalls() || !currentTrace()) return query();
  const summary = summaryOf(statement);
  const attributes = {
    'db.system.name': 'postgresql',
    'db.operation.name': summary.split(' ')[0] ?? '',
    'db.query.summary': summary,
  };
  return inSpan(summary, { kind: 'client', attributes }, query);
}

function tracedQuery(queryable: Queryable): Queryable['query'] {
  const query = queryable.query.bind(queryable) as (...parts: unknown[]) => Promise<unknown>;
  const recorded = (...parts: unknown[]): Promise<unknown> => asStatement(parts[0] as Statement, () => query(...parts));
  return recorded as unknown as Queryable['query'];
}

/** The pool, or a connection of it, whose statements are spans; a transaction's as well as its own. */
export const traced = (pool: pg.Pool): Pick<pg.Pool, 'query' | 'connect'> => ({
  query: tracedQuery(pool) as pg.Pool['query'],
  connect: (async () => {
    const client = await pool.connect();
    return Object.assign(Object.create(client) as pg.PoolClient, { query: tracedQuery(client) });
  }) as pg.Pool['connect'],
});
