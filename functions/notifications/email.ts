/** Builder of e-mail notifiers: event → template → SMTP, claimed in Postgres first, so that no repeat sends it again. */
import type * as z from 'zod/mini';
import { type NatsSettings, natsSettings, openBus } from '../runtime/bus.ts';
import type { Definition } from '../runtime/function.ts';
import { consume } from '../runtime/handling/consume.ts';
import { pushHandler } from '../runtime/handling/push.ts';
import { type DatabaseSettings, databaseSettings, openDatabase } from '../runtime/postgres.ts';
import { openClaims, type Subject } from './claims.ts';
import { type DeliverySettings, deliverySettings, openDelivery } from './delivery.ts';
import { noticeHandler, type Told } from './notices.ts';
import { AGAIN, REMINDER } from './tasks.ts';
import type { OrderState, Template } from './template.ts';

type EmailsSpec<Events extends Readonly<Record<string, z.ZodMiniType>>> = {
  readonly stream: string;
  /** Schemas of the events that it takes. */
  readonly events: Events;
  /** The events that lead to an e-mail at once. */
  readonly templates: { readonly [Type in keyof Events]?: Template<z.infer<Events[Type]>> };
  /** The events that lead to one later, at a time, RFC 3339; undefined: to none. */
  readonly reminders?: {
    readonly [Type in keyof Events]?: {
      readonly template: Template<z.infer<Events[Type]>>;
      at(data: z.infer<Events[Type]>, now: number): string | undefined;
    };
  };
  /** Pure. The user whom an event is for, and the order that it is about as it stood then. */
  about(data: z.infer<Events[keyof Events]>): {
    readonly recipient: string;
    readonly subject?: Subject & { readonly state: OrderState };
  };
};

/** For addresses, and for the links of an account. */
const CALLS = { 'user-service': ['GetUser', 'CreateLinkToken'] };

const IN_FLIGHT = 8;

export function emails<Events extends Readonly<Record<string, z.ZodMiniType>>>(
  spec: EmailsSpec<Events>,
): Definition<NatsSettings & DatabaseSettings & DeliverySettings> {
  const types = Object.keys(spec.events);
  const told = new Map(
    types.map((type) => [
      type,
      { schema: spec.events[type], template: spec.templates[type], reminder: spec.reminders?.[type] } as Told,
    ]),
  );
  const used = [...told.values()].flatMap(({ template, reminder }) =>
    [template ?? [], reminder?.template ?? []].flat(),
  );
  const templates = new Map(used.map((template) => [template.name, template]));
  return {
    kind: 'notifier',
    settings: { ...natsSettings, ...databaseSettings, ...deliverySettings },
    stream: spec.stream,
    calls: CALLS,
    consumes: types,
    publishes: [],
    schedules: [],
    inFlight: IN_FLIGHT,
    async start(shell) {
      const bus = await openBus(shell);
      const database = openDatabase(shell);
      const claims = openClaims(database, shell.name);
      const deliver = openDelivery(templates, shell, database);
      const about = spec.about as (data: unknown) => ReturnType<typeof spec.about>;
      const handle = noticeHandler({ told, about }, shell, { bus, claims, deliver });
      const options = {
        stream: spec.stream,
        consumer: shell.name,
        types,
        tasks: [REMINDER, AGAIN],
        inFlight: IN_FLIGHT,
        batch: 1,
        concurrency: IN_FLIGHT,
      };
      return { ...consume(shell, bus, options, handle), http: pushHandler(shell.log, handle) };
    },
  };
}
