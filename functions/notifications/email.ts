/** Builder of e-mail notifiers: event → template → SMTP, once a template and recipient. */
import { randomBytes } from 'node:crypto';
import type * as z from 'zod/mini';
import {
  type Notification,
  type NotifierDefinition,
  type NotifierSettings,
  notifier,
  type Schemas,
} from '../runtime/notifier.ts';
import { type DeliverySettings, deliverySettings, openDelivery } from './delivery.ts';
import { isOptional } from './optional.ts';
import { openOrderStates, type SeenOrder } from './order-states.ts';
import { smtpOutbound } from './smtp.ts';
import type { OrderState, Template } from './template.ts';

type EmailsSpec<Events extends Schemas> = {
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
  /** What its templates need of user-service, the address apart. */
  readonly calls?: readonly string[];
  /** Pure. The user whom an event is for, and the order that it is about as it stood then. */
  about(data: z.infer<Events[keyof Events]>): { readonly recipient: string; readonly order?: SeenOrder };
};
/** How an event is told of: at once, later, both, or not at all. */
type Told = {
  readonly template?: Template<unknown>;
  readonly reminder?: { readonly template: Template<unknown>; at(data: unknown, now: number): string | undefined };
};

const tokenFor = (template: string): string | null =>
  isOptional(template) ? randomBytes(24).toString('base64url') : null;

export function emails<const Events extends Schemas>(
  spec: EmailsSpec<Events>,
): NotifierDefinition<NotifierSettings & DeliverySettings> {
  const told = new Map(
    Object.keys(spec.events).map((type) => [
      type,
      { template: spec.templates[type], reminder: spec.reminders?.[type] } as Told,
    ]),
  );
  const used = [...told.values()].flatMap(({ template, reminder }) =>
    [template ?? [], reminder?.template ?? []].flat(),
  );
  const templates = new Map(used.map((template) => [template.name, template]));
  const about = spec.about as (data: unknown) => ReturnType<typeof spec.about>;
  return notifier<Events, OrderState | undefined, DeliverySettings>({
    stream: spec.stream,
    accepts: spec.events,
    channel: 'email',
    settings: deliverySettings,
    calls: { 'user-service': ['BatchGetUsers', 'GetUser', ...(spec.calls ?? [])] },
    outbound: smtpOutbound,
    breaker: false,
    claims: {
      columns: ['order_id', 'unsubscribe_token'],
      keeps: ({ data }, template) => ({
        order_id: about(data).order?.id ?? null,
        unsubscribe_token: tokenFor(template),
      }),
    },
    notifications({ type, data }, now): readonly Notification[] {
      const { template, reminder } = told.get(String(type)) ?? {};
      const { recipient } = about(data);
      const at = reminder?.at(data, now);
      return [
        ...(template ? [{ template: template.name, recipient }] : []),
        ...(reminder && at !== undefined ? [{ template: reminder.template.name, recipient, at }] : []),
      ];
    },
    open(shell, { database }) {
      const states = openOrderStates(database);
      return {
        deliver: openDelivery(templates, shell, database),
        async remember({ data }) {
          const { order } = about(data);
          return order && states.see(order);
        },
      };
    },
  });
}
