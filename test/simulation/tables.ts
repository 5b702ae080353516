/** The tables of the model of Postgres, with the constraints that the code relies on. */
import pg from 'pg';
import type { Product } from '../../functions/orders/products.ts';
import type { OutboxMessage } from '../../functions/runtime/outbox.ts';
import type { CommandRecord } from '../../functions/runtime/store/event-store.ts';
import type { WrittenEvent } from '../../functions/runtime/store/schema-versions.ts';

export type EventRow = WrittenEvent & { readonly eventId: string; readonly commandId: string };
export type Payment = {
  readonly paymentId: string;
  readonly orderId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly fingerprint: string;
  readonly status: string;
};
type Note = { status: string; claimedUntil: number };
/** What is known of an order, by JSON. */
type Seen = { readonly version: number; readonly state: string };
/** A state of an order, by JSON. */
type Snapshot = { readonly version: number; readonly schemaVersion: number; readonly state: string };
type Append = {
  readonly records: readonly (readonly [commandId: string, record: CommandRecord])[];
  readonly events: readonly (EventRow & { readonly orderId: string })[];
  readonly messages: readonly OutboxMessage[];
  readonly snapshots: readonly (readonly [orderId: string, snapshot: Snapshot])[];
  readonly moved: readonly { readonly sku: string; readonly quantity: number }[];
  readonly settled: readonly { readonly paymentId: string; readonly status: string }[];
};

export type Tables = {
  readonly events: Map<string, EventRow[]>;
  readonly snapshots: Map<string, Snapshot>;
  readonly commands: Map<string, CommandRecord>;
  readonly outbox: Map<string, OutboxMessage & { readonly createdAt: number }>;
  readonly products: Map<string, Product>;
  readonly payments: Map<string, Payment>;
  /** What the provider has moved, by idempotency key. */
  readonly ledger: Map<string, { readonly orderId: string; readonly amountMinor: number }>;
  readonly notifications: Map<string, Note>;
  readonly notified: Map<string, Seen>;
  /** Rows of read models, by table and key. */
  readonly views: Map<string, Map<string, { readonly version: number }>>;
};

export const newTables = (products: readonly Product[]): Tables => ({
  events: new Map(),
  snapshots: new Map(),
  commands: new Map(),
  outbox: new Map(),
  products: new Map(products.map((product) => [product.sku, product])),
  payments: new Map(),
  ledger: new Map(),
  notifications: new Map(),
  notified: new Map(),
  views: new Map(),
});

const NO_PAYMENT = { orderId: '', amountMinor: 0, currency: '', fingerprint: '' };

export const UNIQUE = '23505';
const CHECK = '23514';

export function violation(code: string, constraint: string): pg.DatabaseError {
  const error = new pg.DatabaseError(`violates constraint ${constraint}`, 0, 'error');
  error.code = code;
  error.constraint = constraint;
  return error;
}

/** No key is there already, or twice among those that come. */
function checkKeys(constraint: string, isThere: (key: string) => boolean, keys: readonly string[]): void {
  if (new Set(keys).size < keys.length || keys.some(isThere)) throw violation(UNIQUE, constraint);
}

function checkAppend(tables: Tables, { records, events, messages, moved, settled }: Append): void {
  const commandIds = records.map(([commandId]) => commandId);
  checkKeys('commands_pkey', (key) => tables.commands.has(key), commandIds);
  const stored = [...tables.events].flatMap(([id, rows]) => rows.map(({ version }) => `${id} ${version}`));
  const versions = events.map(({ orderId, version }) => `${orderId} ${version}`);
  checkKeys('order_events_pkey', (key) => stored.includes(key), versions);
  const messageIds = messages.map(({ event_id }) => event_id);
  checkKeys('outbox_pkey', (key) => tables.outbox.has(key), messageIds);
  for (const { sku, quantity } of moved)
    if ((tables.products.get(sku)?.stock ?? 0) < quantity) throw violation(CHECK, 'products_stock_check');
  for (const { paymentId, status } of settled)
    if (tables.payments.has(paymentId) && status === 'refused') throw violation(CHECK, 'payments_status_check');
}

/** All of it, or nothing. */
export function append(tables: Tables, all: Append): void {
  checkAppend(tables, all);
  const { records, events, messages, snapshots, moved, settled } = all;
  for (const [commandId, record] of records) tables.commands.set(commandId, record);
  for (const { orderId, ...event } of events)
    tables.events.set(orderId, [...(tables.events.get(orderId) ?? []), event]);
  for (const [orderId, snapshot] of snapshots)
    if ((tables.snapshots.get(orderId)?.version ?? 0) < snapshot.version) tables.snapshots.set(orderId, snapshot);
  for (const message of messages) tables.outbox.set(message.event_id, { ...message, createdAt: Date.now() });
  for (const { sku, quantity } of moved) {
    const product = tables.products.get(sku);
    if (product) tables.products.set(sku, { ...product, stock: product.stock - quantity });
  }
  for (const { paymentId, status } of settled) {
    const payment = tables.payments.get(paymentId) ?? { ...NO_PAYMENT, paymentId };
    tables.payments.set(paymentId, { ...payment, status });
  }
}

/** True: claimed now. Else the status as it stands. */
export function claim({ notifications }: Tables, key: string, seconds: number): { claimed: boolean; status: string } {
  const note = notifications.get(key);
  if (note && (!['claimed', 'given-up'].includes(note.status) || note.claimedUntil > Date.now()))
    return { claimed: false, status: note.status };
  notifications.set(key, { status: 'claimed', claimedUntil: Date.now() + seconds * 1_000 });
  return { claimed: true, status: 'claimed' };
}

/** The newest state of an order that was seen, this one included. */
export function remember({ notified }: Tables, orderId: string, version: number, state: string): object {
  const before = notified.get(orderId);
  const newest = before && before.version >= version ? before : { version, state };
  notified.set(orderId, newest);
  return JSON.parse(newest.state);
}
