/** What a notifier's consumer brings → notifications, each claimed, delivered and noted: of an event, of one for later, or once more. */
import type * as z from 'zod/mini';
import { invalid, toAppError, unavailable } from '../errors.ts';
import type { Shell } from '../function.ts';
import { fateOf } from '../handling/failure.ts';
import { nameId } from '../ids.ts';
import type { Bus } from '../jetstream/connection.ts';
import type { Incoming } from '../messages/message.ts';
import { count } from '../metrics.ts';
import { againTask, againTypes, laterTask, laterTypes, notifyLater } from '../notification-tasks.ts';
import { validate } from '../schema.ts';
import { type Claims, type End, type Kept, recipientId } from './claims.ts';
import type { AnyEvent, Delivery, Notification, Opened, Schemas } from './notification.ts';

type Spec = {
  readonly accepts: Schemas;
  readonly channel: string;
  notifications(event: AnyEvent, now: number): readonly Notification[];
  /** The own columns of a claim. */
  keeps(event: AnyEvent, template: string): Kept;
};
type Parts = {
  readonly bus: Bus;
  readonly claims: Claims;
  readonly opened: Opened<AnyEvent, unknown>;
  /** Does a delivery, unless deliveries on this channel fail. */
  guarded(deliver: () => Promise<End>): Promise<End>;
};

/** Less than the consumer's ackWait, and than the claim: nobody else begins while this one is at it. */
const DELIVERY_MS = 25_000;
const TOO_SLOW = 'delivery-too-slow';

/** A delivery that takes too long is given up here, but may still happen: its claim is left to run out, or to its late end. */
async function inTime(delivery: Promise<End>): Promise<End> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(TOO_SLOW, `A delivery took over ${DELIVERY_MS} ms`)), DELIVERY_MS);
  });
  return Promise.race([delivery, late]).finally(() => clearTimeout(timer));
}

/** Waits for all. Of what they threw it throws what is tried again: a dead letter would take the others' next attempt with it. */
async function all(works: readonly Promise<void>[], attempt: number): Promise<void> {
  const ended = await Promise.allSettled(works);
  const errors = ended.flatMap((end) => (end.status === 'rejected' ? [toAppError(end.reason)] : []));
  const fates = errors.map((error) => fateOf(error, attempt));
  const [worst] = (['retry', 'dead-letter', 'answer'] as const).flatMap((fate) => errors[fates.indexOf(fate)] ?? []);
  if (worst) throw worst;
}

/** The handler of messages. */
export function notificationHandler(spec: Spec, shell: Shell, { bus, claims, opened, guarded }: Parts) {
  const read = (id: string, type: string, data: unknown): AnyEvent => {
    const schema: z.ZodMiniType | undefined = Object.hasOwn(spec.accepts, type) ? spec.accepts[type] : undefined;
    if (!schema) throw invalid('wrong-type', `This notifier has no use for '${type}'`);
    return { id, type, data: validate(schema, data, `The event ${type}`, 'invalid-event') };
  };

  const finish = async (delivery: Delivery<AnyEvent, unknown>): Promise<void> => {
    const { event, template, trace, attempt } = delivery;
    const key = { eventId: event.id, template, recipient: delivery.recipient };
    const delivering = guarded(() => opened.deliver(delivery));
    let end: End;
    try {
      end = await inTime(delivering);
    } catch (thrown) {
      const error = toAppError(thrown);
      const next = fateOf(error, attempt) === 'dead-letter' ? 'given-up' : 'attempt';
      if (error.slug !== TOO_SLOW) await claims.release(key, next);
      else delivering.then((late) => claims.end(key, late)).catch(() => undefined);
      throw thrown;
    }
    if (end.status === 'queued') return;
    await claims.end(key, end);
    const how = 'reason' in end ? { reason: end.reason } : {};
    count('millrace.notifications', { channel: spec.channel, template, status: end.status, ...how });
    const about = { event: event.id, template, ...how, traceId: trace.traceId };
    shell.log.info(about, end.status === 'sent' ? 'delivered' : end.status);
  };

  const notify = async (event: AnyEvent, to: Notification, known: unknown, { trace, attempt }: Incoming) => {
    const { template, recipient } = to;
    const { id: eventId, type, data } = event;
    const kept = await claims.claim({ eventId, template, recipient, type, data, kept: spec.keeps(event, template) });
    const key = nameId(eventId, template, recipient, spec.channel);
    if (kept) await finish({ event, template, recipient, key, known, kept, again: false, attempt, trace });
  };

  const later = async (task: z.infer<typeof laterTask>, incoming: Incoming): Promise<void> => {
    const event = read(task.eventId, task.type, task.data);
    const recipient = task.recipient ?? spec.notifications(event, Date.now())[0]?.recipient;
    if (recipient === undefined) throw invalid('invalid-task', `The task ${incoming.type} names no recipient`);
    await notify(event, { template: task.template, recipient }, await opened.remember?.(event), incoming);
  };

  const again = async (notificationId: string, { trace, attempt }: Incoming): Promise<void> => {
    const claimed = await claims.claimAgain(notificationId);
    if (!claimed) return;
    const { eventId, template, kept } = claimed;
    const event = read(eventId, claimed.type, claimed.data);
    const told = spec.notifications(event, Date.now()).map(({ recipient }) => recipient);
    const recipient = told.find((one) => recipientId(one) === claimed.recipient) ?? claimed.recipient;
    await finish({ event, template, recipient, key: eventId, known: undefined, kept, again: true, attempt, trace });
  };

  const tell = async (incoming: Incoming): Promise<void> => {
    const { trace, attempt } = incoming;
    const event = read(incoming.id, incoming.type, incoming.data);
    const { id: eventId, type, data } = event;
    const wanted = (await opened.notifications?.(event, incoming)) ?? spec.notifications(event, Date.now());
    for (const { at, ...to } of wanted)
      if (at !== undefined) await notifyLater(bus, shell.name, { eventId, type, ...to, data }, trace, at);
    const known = await opened.remember?.(event);
    const now = wanted.filter(({ at }) => at === undefined);
    await all(
      now.map((to) => notify(event, to, known, incoming)),
      attempt,
    );
  };

  return async ([incoming]: readonly Incoming[]): Promise<void> => {
    if (!incoming) return;
    const { id, type, trace, data, replayed } = incoming;
    if (replayed) return shell.log.info({ event: id, type, traceId: trace.traceId }, 'replayed, nothing is delivered');
    const task = `The task ${type}`;
    if (laterTypes.includes(type)) return later(validate(laterTask, data, task, 'invalid-task'), incoming);
    if (againTypes.includes(type))
      return again(validate(againTask, data, task, 'invalid-task').notificationId, incoming);
    await (opened.tasks?.[type] ?? tell)(incoming);
  };
}
