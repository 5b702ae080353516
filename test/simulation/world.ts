/** One run of the shop: its real functions on a simulated network, a virtual clock, and faults where the plan has them. */
import { vi } from 'vitest';
import orderEmails from '../../functions/notifications/order-emails/function.ts';
import cancelOrder from '../../functions/orders/cancel-order/function.ts';
import createOrder from '../../functions/orders/create-order/function.ts';
import deliverOrder from '../../functions/orders/deliver-order/function.ts';
import expireOrder from '../../functions/orders/expire-order/function.ts';
import expireUnpaid from '../../functions/orders/expire-unpaid/function.ts';
import orderView from '../../functions/orders/order-view/function.ts';
import payOrder from '../../functions/orders/pay-order/function.ts';
import refundCancelled from '../../functions/orders/refund-cancelled/function.ts';
import refundOrder from '../../functions/orders/refund-order/function.ts';
import salesView from '../../functions/orders/sales-view/function.ts';
import shipOrder from '../../functions/orders/ship-order/function.ts';
import outboxRelay from '../../functions/platform/outbox-relay/function.ts';
import { unavailable } from '../../functions/runtime/errors.ts';
import type { Definition, Running, Shell } from '../../functions/runtime/function.ts';
import { retriesOf, retrySubject } from '../../functions/runtime/handling/retries.ts';
import { filterOf } from '../../functions/runtime/messages/message.ts';
import { openJetStream } from './bus.ts';
import { startClient } from './client.ts';
import { openPostgres } from './database.ts';
import { type Action, openNetwork, type Process } from './network.ts';
import type { Fault, Outage, Plan } from './plan.ts';
import { givePorts, randomOf } from './ports.ts';
import { newTables } from './tables.ts';

const START = Date.parse('2026-11-20T12:00:00.000Z');
const MOST_STEPS = 20_000;
/** As KEDA looks whether rows have stayed in the outbox. */
const LOOK_MS = 5_000;
const settings = { PAYMENT_WINDOW_SECONDS: 60, SHOP_URL: 'https://shop.example' };

export const PRODUCTS = [
  { sku: 'cup', name: 'Cup', priceMinor: 300, currency: 'EUR', stock: 5 },
  { sku: 'pot', name: 'Pot', priceMinor: 500, currency: 'EUR', stock: 4 },
  { sku: 'gift', name: 'Gift', priceMinor: 0, currency: 'EUR', stock: 9 },
];

const FUNCTIONS: Readonly<Record<string, Definition>> = {
  'create-order': createOrder,
  'pay-order': payOrder,
  'ship-order': shipOrder,
  'deliver-order': deliverOrder,
  'cancel-order': cancelOrder,
  'expire-order': expireOrder,
  'refund-order': refundOrder,
  'expire-unpaid': expireUnpaid,
  'refund-cancelled': refundCancelled,
  'order-view': orderView,
  'sales-view': salesView,
  'order-emails': orderEmails,
};

export type Ended = Awaited<ReturnType<typeof runWorld>>;

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function openWorld(plan: Plan) {
  const network = openNetwork();
  const jetStream = openJetStream(network);
  const tables = newTables(PRODUCTS);
  const postgres = openPostgres(network, tables);
  const trace: string[] = [];
  const mails: string[] = [];
  const started = new Map<Process, { running: Running; closers: (() => Promise<void> | void)[] }>();
  const faults = new Map<number, Fault['kind']>(plan.faults.map(({ at, kind }) => [at, kind]));
  let processes = 0;

  const outageOf = (label: string): Outage | undefined => {
    const now = Date.now() - START;
    return plan.outages.find(({ of, fromMs, forMs }) => label.startsWith(of) && now >= fromMs && now < fromMs + forMs);
  };

  const note = (process: Process, what: string): unknown => trace.push(`${Date.now() - START} ${process.name} ${what}`);

  const open = (name: string) => {
    processes += 1;
    const process: Process = { name: `${name}#${processes}`, function: name, alive: true };
    const closers: (() => Promise<void> | void)[] = [];
    const say = (level: string) => (fields: object, message: string) =>
      note(process, `${level} ${message} ${'detail' in fields ? fields.detail : ''}`);
    const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
    const shell = {
      name,
      settings,
      log,
      onClose: (close: () => void) => closers.push(close),
    } as unknown as Shell<never>;
    const noAnswer = (): Error => unavailable('unavailable', 'no answer');
    const bus = jetStream.portOf(process);
    givePorts(shell, {
      bus,
      database: postgres.portOf(process),
      send: ({ messageId }) => {
        const [eventId = ''] = messageId.slice(1).split('.');
        return network.call(process, `mail ${eventId}`, () => void mails.push(eventId), noAnswer);
      },
      getUser: () => network.call(process, 'getUser', () => ({ email: 'anna@shop.example' }), noAnswer),
    });
    return { process, shell, bus, closers };
  };

  const start = async (name: string): Promise<void> => {
    const { process, shell, closers } = open(name);
    const running = await (FUNCTIONS[name] ?? outboxRelay).start(shell);
    started.set(process, { running, closers });
  };

  const end = (process: Process): void => {
    started.delete(process);
    jetStream.disconnect(process);
    postgres.disconnect(process);
    if (FUNCTIONS[process.function]) void start(process.function);
  };

  const kill = (process: Process): void => {
    if (!process.alive) return;
    for (const label of network.die(process, trace.length % 2 === 0)) note(process, `${label} on the wire`);
    note(process, 'dies');
    end(process);
  };

  const drain = async (process: Process): Promise<void> => {
    const one = started.get(process);
    if (!one) return;
    note(process, 'drains');
    started.delete(process);
    await one.running.drain();
    for (const close of one.closers.reverse()) await close();
    if (!process.alive) return;
    process.alive = false;
    end(process);
  };

  /** Wakes the relay for rows that have stayed, and lets it sleep again. */
  const look = (): void => {
    const relay = [...started.keys()].find(({ function: name }) => name === 'outbox-relay');
    const old = [...tables.outbox.values()].some(({ createdAt }) => Date.now() - createdAt > 2_000);
    if (old && !relay) void start('outbox-relay');
    if (relay && tables.outbox.size === 0) void drain(relay);
  };

  const happen = (action: Action & { again?(): void }, planned: Fault['kind'] | undefined): void => {
    const { process, label } = action;
    const kind = planned ?? outageOf(label)?.kind;
    const mortal = process.function !== 'client';
    note(process, kind ? `${label} ${kind}` : label);
    if (kind === 'crash-before' && mortal) return kill(process);
    if (kind === 'crash-after' && mortal) {
      action.happen('unheard');
      return kill(process);
    }
    if (kind === 'refuse') return action.happen('refused');
    if (kind === 'lose') return action.happen('lost');
    if (kind === 'slow' && action.hold) return action.hold();
    if (kind === 'again' && action.again) return action.again();
    action.happen('whole');
    if (kind === 'drain') void drain(process);
  };

  return { network, jetStream, tables, trace, mails, open, start, look, happen, faults };
}

/** Runs a plan until nothing is left to do; throws when that never comes. The same plan always gives the same trace. */
export async function runWorld(plan: Plan) {
  vi.useFakeTimers({ now: START, toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  const random = vi.spyOn(Math, 'random').mockImplementation(randomOf(1));
  try {
    const world = openWorld(plan);
    const { network, jetStream, tables, trace, mails } = world;
    for (const [name, { kind, consumes }] of Object.entries(FUNCTIONS)) {
      jetStream.addConsumer(name, kind === 'command' ? 'COMMANDS' : 'ORDERS', consumes.map(filterOf));
      jetStream.addConsumer(retriesOf(name), 'RETRIES', [retrySubject(name)]);
      for (let replica = 0; replica < plan.replicas; replica += 1) await world.start(name);
    }
    const { shell, bus } = world.open('client');
    const client = startClient(shell, bus, plan.asks, jetStream.isPublished);
    setInterval(world.look, LOOK_MS);
    const isQuiet = (): boolean =>
      client.isDone() && network.isIdle() && jetStream.isIdle() && tables.outbox.size === 0;

    let actions = 0;
    for (let steps = 0; ; steps += 1) {
      await settle();
      if (isQuiet()) break;
      if (steps > MOST_STEPS) throw new Error(`no end after ${steps} steps\n${trace.slice(-100).join('\n')}`);
      const possible = [...network.ready(), ...jetStream.deliveries()];
      const action = possible[(plan.choices[actions] ?? 0) % possible.length];
      if (action) {
        actions += 1;
        world.happen(action, world.faults.get(actions));
        vi.advanceTimersByTime(1);
      } else {
        vi.advanceTimersToNextTimer();
      }
    }
    return { tables, trace, mails, jetStream, sent: client.sent, early: client.early, actions };
  } finally {
    random.mockRestore();
    vi.useRealTimers();
  }
}
