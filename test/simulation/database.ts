/** A model of Postgres that knows the statements of the runtime by their names: each is atomic, and sees what is committed. */
import { orders } from '../../functions/orders/order.ts';
import type { OutboxMessage } from '../../functions/runtime/outbox.ts';
import type { Database } from '../../functions/runtime/postgres.ts';
import type { CommandRecord } from '../../functions/runtime/store/event-store.ts';
import type { Refusal } from '../../functions/runtime/store/refusal.ts';
import type { Network, Process } from './network.ts';
import { append, claim, type EventRow, type Payment, remember, type Tables, UNIQUE, violation } from './tables.ts';

type Statement = { readonly name?: string; readonly text: string; readonly values?: readonly unknown[] };
type Answer = { readonly rows: readonly object[]; readonly rowCount: number };
type Transaction = { readonly process: Process; readonly payments: Payment[] };

const rowsOf = (rows: readonly object[]): Answer => ({ rows: structuredClone(rows), rowCount: rows.length });
const NOTHING = rowsOf([]);
const text = (value: unknown): string => String(value);
const json = <Value>(value: unknown): Value => JSON.parse(text(value)) as Value;

const reset = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

type Question = { aggregate_id: string; command_id: string; input: string[] | null };

function load(tables: Tables, [asked]: readonly unknown[]): Answer {
  const answers = json<Question[]>(asked).map(({ aggregate_id: id, command_id: commandId, input }) => {
    const record = tables.commands.get(commandId) ?? null;
    const last = record?.version ?? Number.POSITIVE_INFINITY;
    const kept = tables.snapshots.get(id);
    const snapshot = kept && kept.schemaVersion === orders.schemaVersion && kept.version <= last ? kept : null;
    const first = snapshot?.version ?? 0;
    return {
      snapshot: snapshot && { version: snapshot.version, state: JSON.parse(snapshot.state) },
      events: (tables.events.get(id) ?? []).filter(({ version }) => version > first && version <= last),
      record,
      reads: input && [...tables.products.values()].filter(({ sku }) => input.includes(sku)),
    };
  });
  return rowsOf(answers);
}

type Recorded = Omit<CommandRecord, 'refusal'> & { readonly command_id: string; readonly refusal?: Refusal };

type Written = {
  order_id: string;
  version: number;
  event_id: string;
  type: string;
  schema_version: number;
  data: object;
  command_id: string;
};

type Kept = { order_id: string; version: number; schema_version: number; state: object };

/** Only what the statement says is done: without its insert there is no row. */
function runAppend(tables: Tables, { text: sql, values = [] }: Statement): Answer {
  const [records, rows, messages, kept, ...writes] = values;
  const extra = writes.flatMap((rowsOfWrite) => json<Record<string, never>[]>(rowsOfWrite));
  const toEvent = ({ order_id: orderId, ...row }: Written): EventRow & { orderId: string } => ({
    orderId,
    version: row.version,
    type: row.type,
    schemaVersion: row.schema_version,
    data: row.data,
    eventId: row.event_id,
    commandId: row.command_id,
  });
  const toRecord = ({ command_id: commandId, fingerprint, version, refusal }: Recorded) =>
    [commandId, { fingerprint, version, refusal: refusal ?? null }] as const;
  const toSnapshot = ({ order_id: orderId, version, schema_version: schemaVersion, state }: Kept) =>
    [orderId, { version, schemaVersion, state: JSON.stringify(state) }] as const;
  const moved = extra.flatMap(({ sku, quantity }) => (sku ? [{ sku, quantity: quantity ?? 0 }] : []));
  append(tables, {
    records: sql.includes('insert into commands') ? json<Recorded[]>(records).map(toRecord) : [],
    events: sql.includes('insert into order_events') ? json<Written[]>(rows).map(toEvent) : [],
    messages: sql.includes('insert into outbox') ? json<OutboxMessage[]>(messages) : [],
    snapshots: sql.includes('insert into order_snapshots') ? json<Kept[]>(kept).map(toSnapshot) : [],
    moved: sql.includes('sum(quantity)') ? summed(moved) : newestOf(moved),
    settled: extra.flatMap(({ payment_id: paymentId, status }) =>
      paymentId ? [{ paymentId, status: status ?? '' }] : [],
    ),
  });
  return NOTHING;
}

type Moved = { readonly sku: string; readonly quantity: number };

const summed = (moved: readonly Moved[]): Moved[] =>
  [...new Set(moved.map(({ sku }) => sku))].map((sku) => ({
    sku,
    quantity: moved.reduce((sum, one) => sum + (one.sku === sku ? one.quantity : 0), 0),
  }));

/** An update that joins several rows to one takes any one of them. */
const newestOf = (moved: readonly Moved[]): Moved[] => [...new Map(moved.map((one) => [one.sku, one])).values()];

function project(tables: Tables, table: string, { text: sql, values = [] }: Statement): Answer {
  const key = /on conflict \(([^)]+)\)/.exec(sql)?.[1]?.split(', ') ?? [];
  const view = tables.views.get(table) ?? new Map();
  tables.views.set(table, view);
  for (const row of json<(Record<string, unknown> & { version: number })[]>(values[0])) {
    const id = key.map((column) => row[column]).join(' ');
    if ((view.get(id)?.version ?? 0) < row.version) view.set(id, row);
  }
  return NOTHING;
}

function readOutbox({ outbox }: Tables, [limit, prefix, olderThanMs]: readonly unknown[]): Answer {
  const rows = [...outbox.values()].filter(
    ({ subject, createdAt }) => subject.startsWith(text(prefix)) && createdAt <= Date.now() - Number(olderThanMs),
  );
  return rowsOf(rows.slice(0, Number(limit)));
}

function run(tables: Tables, statement: Statement): Answer {
  const { name = '', values = [] } = statement;
  const [first, second, third] = values;
  const note = `${first} ${second}`;
  if (name === 'load-order') return load(tables, values);
  if (name.startsWith('append-order-')) return runAppend(tables, statement);
  if (name.startsWith('project-')) return project(tables, name.slice('project-'.length), statement);
  if (name === 'outbox-read') return readOutbox(tables, values);
  if (name === 'outbox-measure') return rowsOf([{ depth: tables.outbox.size, oldest: 0 }]);
  if (name === 'outbox-remove') {
    for (const id of first as string[]) tables.outbox.delete(id);
    return NOTHING;
  }
  if (name === 'find-payment')
    return rowsOf([...tables.payments.values()].filter(({ paymentId }) => paymentId === first));
  if (name === 'ledger') {
    if (tables.ledger.has(text(first))) return NOTHING;
    tables.ledger.set(text(first), { orderId: text(second), amountMinor: Number(third) });
    return { rows: [], rowCount: 1 };
  }
  if (name === 'claims-claim') return rowsOf([{ ...claim(tables, note, Number(values[4])), kept: {} }]);
  if (name === 'order-state-see')
    return rowsOf([{ state: remember(tables, text(first), Number(second), text(third)) }]);
  if (name === 'recipient') return rowsOf([{ locale: 'de', muted: [], refused: false }]);
  const noted = tables.notifications.get(note);
  if (name === 'claims-end') {
    if (noted) noted.status = text(values[4]);
    return NOTHING;
  }
  if (name === 'claims-release') {
    if (noted?.status === 'claimed')
      Object.assign(noted, { claimedUntil: Date.now(), ...(values[4] ? { status: 'given-up' } : {}) });
    return NOTHING;
  }
  throw new Error(`the model knows no statement ${name || statement.text}`);
}

const inFlight = (payments: Iterable<Payment>, orderId: unknown): boolean =>
  [...payments].some((payment) => payment.orderId === orderId && payment.status === 'started');

function runInTransaction(tables: Tables, transaction: Transaction, sql: string, values: readonly unknown[]): Answer {
  if (sql.startsWith('insert into payments')) {
    const [paymentId, orderId, , amountMinor, currency, fingerprint] = values.map(text);
    if (!paymentId || !orderId) throw new Error('a payment needs its ids');
    if (tables.payments.has(paymentId)) throw violation(UNIQUE, 'payments_pkey');
    if (inFlight(tables.payments.values(), orderId)) throw violation(UNIQUE, 'payments_in_flight');
    const begun = { paymentId, orderId, currency: currency ?? '', fingerprint: fingerprint ?? '', status: 'started' };
    transaction.payments.push({ ...begun, amountMinor: Number(amountMinor) });
    return NOTHING;
  }
  if (sql.includes('max(version)')) {
    const versions = (tables.events.get(text(values[0])) ?? []).map(({ version }) => version);
    return rowsOf([{ version: Math.max(0, ...versions) }]);
  }
  throw new Error(`the model knows no statement ${sql}`);
}

/** The key of a claim, and how many commands are appended when they are several. */
function detailOf({ name = '', values = [] }: Statement): string {
  if (name.startsWith('claims-')) return ` ${values[0]}`;
  const appended = name.startsWith('append-') ? json<Recorded[]>(values[0]).length : 1;
  return appended > 1 ? ` of ${appended}` : '';
}

export function openPostgres(network: Network, tables: Tables) {
  let transactions: Transaction[] = [];
  const end = (transaction: Transaction): void => {
    transactions = transactions.filter((other) => other !== transaction);
  };

  /** As an append waits to settle a payment that is just being begun; its id is the command's. */
  const canAppend = ({ name = '', values = [] }: Statement): boolean =>
    !name.startsWith('append-') ||
    !json<Recorded[]>(values[0]).some(({ command_id: commandId }) =>
      transactions.some(({ payments }) => payments.some(({ paymentId }) => paymentId === commandId)),
    );

  const connect = (process: Process) => {
    const transaction: Transaction = { process, payments: [] };
    /** As an insert waits for the one before it in a unique index. */
    const isFree = (sql: string, orderId: unknown) => (): boolean =>
      !sql.startsWith('insert into payments') ||
      !transactions.some((other) => other !== transaction && inFlight(other.payments, orderId));
    const query = (sql: string, values: readonly unknown[] = []): Promise<Answer> => {
      const effect = (): Answer => {
        if (sql === 'begin') transactions.push(transaction);
        if (sql === 'commit')
          for (const payment of transaction.payments) tables.payments.set(payment.paymentId, payment);
        if (sql === 'commit' || sql === 'rollback') end(transaction);
        return /^(begin|commit|rollback)$/.test(sql) ? NOTHING : runInTransaction(tables, transaction, sql, values);
      };
      return network.call(process, `query ${sql.slice(0, 20)}`, effect, reset, isFree(sql, values[1]));
    };
    return { query, release: () => undefined };
  };

  return {
    portOf: (process: Process): Database => {
      const query = (statement: Statement) => {
        const label = `query ${statement.name}${detailOf(statement)}`;
        return network.call(
          process,
          label,
          () => run(tables, statement),
          reset,
          () => canAppend(statement),
        );
      };
      return { query, connect: async () => connect(process) } as unknown as Database;
    },
    /** The server rolls back what a lost client had begun. */
    disconnect(process: Process): void {
      for (const transaction of transactions.filter((one) => one.process === process)) end(transaction);
    },
  };
}
