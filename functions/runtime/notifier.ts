/** Builder of notifiers: event → who is told what (pure) → a delivery of one's own, claimed in Postgres first, so that no repeat delivers it again. */
import { openCallPolicy } from './call-policy.ts';
import type { Calls, Definition, Outbound, Shell } from './function.ts';
import { consume } from './handling/consume.ts';
import { pushHandler } from './handling/push.ts';
import { type Bus, type NatsSettings, natsSettings, openBus } from './jetstream/connection.ts';
import { againTypes, laterTypes } from './notification-tasks.ts';
import { DEFAULT_TABLE, type Kept, openClaims } from './notifying/claims.ts';
import { notificationHandler } from './notifying/handler.ts';
import type { AnyEvent, EventOf, Notification, Opened, Schemas } from './notifying/notification.ts';
import { type Database, type DatabaseSettings, databaseSettings, openDatabase } from './postgres.ts';
import type { SettingsOf } from './settings.ts';

export type { Claims, End } from './notifying/claims.ts';
export type { Delivery, Schemas } from './notifying/notification.ts';

export type NotifierSettings = NatsSettings & DatabaseSettings;

type NotifierSpec<Accepts extends Schemas, Known, Own extends object> = {
  readonly stream: string;
  readonly accepts: Accepts;
  /** How people are reached, such as `sms`: a word of claims and metrics, and of its circuit breaker. */
  readonly channel: string;
  /** Settings of its own. */
  readonly settings?: SettingsOf<Own>;
  /** Hosts that it calls. */
  readonly outbound?: readonly Outbound[];
  /** What it calls in its own name: service → methods. */
  readonly calls?: Calls;
  /** Functions that it sends tasks to. */
  readonly tasksTo?: readonly string[];
  readonly ownRole?: boolean;
  /** False: what `deliver` calls has a circuit breaker of its own. */
  readonly breaker?: false;
  /** The table of its claims, `notifications` unless told, and columns of its own there; null: `open` gives other claims. */
  readonly claims?: {
    readonly table?: string;
    readonly columns?: readonly string[];
    keeps?(event: EventOf<Accepts>, template: string): Kept;
  } | null;
  readonly retriesInFlight?: number;
  /** Pure. Who is told of an event, at once or later. `now` is in ms since 1970. Left out: `open` gives them. */
  notifications?(event: EventOf<Accepts>, now: number): readonly Notification[];
  open(
    shell: Shell<NotifierSettings & Own>,
    parts: { readonly bus: Bus; readonly database: Database },
  ): Opened<EventOf<Accepts>, Known>;
};

/** A notifier, with the table whose rows it may read, add and change. */
export type NotifierDefinition<Own extends object = never> = Definition<Own> & {
  readonly kind: 'notifier';
  readonly channel: string;
  readonly claimsTable: string | undefined;
};

const IN_FLIGHT = 8;
/** The handler gives up before; one that is given up there may still be delivered. */
const BOUNDS = { timeoutMs: 60_000, retries: 0, halfOpenAfterMs: 5_000 };

export function notifier<const Accepts extends Schemas, Known = undefined, Own extends object = object>(
  spec: NotifierSpec<Accepts, Known, Own>,
): NotifierDefinition<NotifierSettings & Own> {
  const { stream, accepts, channel } = spec;
  const types = Object.keys(accepts);
  const { table = DEFAULT_TABLE, columns = [], keeps = () => ({}) } = spec.claims ?? {};
  return {
    kind: 'notifier',
    channel,
    claimsTable: spec.claims === null ? undefined : table,
    settings: { ...natsSettings, ...databaseSettings, ...spec.settings },
    stream,
    consumes: types,
    publishes: [],
    schedules: [],
    tasksTo: spec.tasksTo ?? [],
    calls: spec.calls ?? {},
    outbound: spec.outbound ?? [],
    ownRole: spec.ownRole ?? false,
    inFlight: IN_FLIGHT,
    ...(spec.retriesInFlight === undefined ? {} : { retriesInFlight: spec.retriesInFlight }),
    async start(shell) {
      const bus = await openBus(shell);
      const database = openDatabase(shell);
      const opened = spec.open(shell, { bus, database }) as Opened<AnyEvent, unknown>;
      const policy = spec.breaker === false ? undefined : openCallPolicy(shell, { ...BOUNDS, name: channel });
      const whole = {
        accepts,
        channel,
        notifications: (spec.notifications ?? (() => [])) as (event: AnyEvent, now: number) => readonly Notification[],
        keeps: keeps as (event: AnyEvent, template: string) => Kept,
      };
      const handle = notificationHandler(whole, shell, {
        bus,
        opened,
        claims: opened.claims ?? openClaims(database, { table, sender: shell.name, channel, columns }),
        guarded: (deliver) => (policy ? policy.run(deliver) : deliver()),
      });
      const options = {
        stream,
        consumer: shell.name,
        types,
        tasks: [...laterTypes, ...againTypes, ...Object.keys(opened.tasks ?? {})],
        inFlight: IN_FLIGHT,
        batch: 1,
        concurrency: IN_FLIGHT,
        ...(spec.retriesInFlight === undefined ? {} : { retriesInFlight: spec.retriesInFlight }),
      };
      return { ...consume(shell, bus, options, handle), http: pushHandler(shell.log, handle) };
    },
  };
}
