/** What a notifier makes of its messages: an event, its reminder, or a wish to have it again → one delivery, claimed first. */
import { randomBytes } from 'node:crypto';
import * as z from 'zod/mini';
import type { Bus } from './bus.ts';
import { AGAIN, type Claims, type End, type Subject } from './claims.ts';
import type { Setting } from './config.ts';
import { invalid, toAppError, unavailable } from './errors.ts';
import type { Shell } from './function.ts';
import { nameId } from './ids.ts';
import type { Incoming } from './message.ts';
import { count } from './metrics.ts';
import type { Database } from './postgres.ts';
import { scheduleTask } from './task.ts';
import type { Trace } from './trace.ts';
import { validate } from './validate.ts';

/** What is to be delivered. `state` is the newest of what the event is about; `again`: somebody has asked for it once more. */
export type Notice<Data> = {
  readonly eventId: string;
  readonly type: string;
  readonly template: string;
  readonly recipient: string;
  readonly data: Data;
  readonly trace: Trace;
  readonly state: object | null;
  readonly unsubscribeToken: string | null;
  readonly again: boolean;
};

export type NotifierSpec<Schema extends z.ZodMiniType, Need extends Setting> = {
  readonly stream: string;
  readonly needs: readonly Need[];
  /** Event type → the schema of its data, and the name of what is delivered for it; without one it is only remembered. */
  readonly accepts: Readonly<Record<string, { readonly schema: Schema; readonly template?: string | undefined }>>;
  /** Pure. The user whom an event is for, and what of it may change later. */
  about(data: z.infer<Schema>): { readonly recipient: string; readonly subject?: Subject | undefined };
  /** Pure. What is to be delivered for an event at another time, RFC 3339. */
  later?(
    type: string,
    data: z.infer<Schema>,
    now: number,
  ): { readonly template: string; readonly at: string } | undefined;
  /** Whether its reader may have no more of it. */
  isOptional(template: string): boolean;
  /** Opens what delivers. A delivery that takes over 25 s is tried again. */
  open(shell: Shell<Need>, database: Database): (notice: Notice<z.infer<Schema>>) => Promise<End>;
};

/** The task to deliver a template for an event of before. */
export const LATER = 'notice.later';
const laterTask = z.object({ eventId: z.string(), type: z.string(), template: z.string(), data: z.unknown() });
const againTask = z.object({ notificationId: z.uuid() });

/** Less than the consumer's ackWait, and than the claim: nobody else begins while this one is at it. */
const DELIVERY_MS = 25_000;
const TOO_SLOW = 'delivery-too-slow';

/** A delivery that takes too long is given up here, but may still happen: its claim is left to run out. */
async function inTime(delivery: Promise<End>): Promise<End> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(TOO_SLOW, `A delivery took over ${DELIVERY_MS} ms`)), DELIVERY_MS);
  });
  return Promise.race([delivery, late]).finally(() => clearTimeout(timer));
}

const tokenFor = (optional: boolean): string | undefined =>
  optional ? randomBytes(24).toString('base64url') : undefined;

type Parts<Data> = { readonly bus: Bus; readonly claims: Claims; deliver(notice: Notice<Data>): Promise<End> };
type Wanted = Pick<Notice<unknown>, 'eventId' | 'type' | 'template' | 'data' | 'trace'>;

/** The handler of messages. */
export function handlerOf<Schema extends z.ZodMiniType, Need extends Setting>(
  spec: NotifierSpec<Schema, Need>,
  shell: Shell<Need>,
  { bus, claims, deliver }: Parts<z.infer<Schema>>,
) {
  const read = (type: string, data: unknown): z.infer<Schema> => {
    const accepted = spec.accepts[type];
    if (!accepted) throw invalid('wrong-type', `This notifier has no use for '${type}'`);
    return validate(accepted.schema, data, `The event ${type}`, 'invalid-event');
  };

  const finish = async (notice: Notice<z.infer<Schema>>): Promise<void> => {
    const { eventId: event, template, trace } = notice;
    let end: End;
    try {
      end = await inTime(deliver(notice));
    } catch (error) {
      if (toAppError(error).slug !== TOO_SLOW) await claims.release(notice);
      throw error;
    }
    await claims.end(notice, end);
    const how = end.status === 'sent' ? {} : { reason: end.reason };
    count('millrace.notifications', { template, status: end.status, ...how });
    shell.log.info(
      { event, template, ...how, traceId: trace.traceId },
      end.status === 'sent' ? 'delivered' : end.status,
    );
  };

  const notify = async (wanted: Wanted): Promise<void> => {
    const { eventId, type, template, trace } = wanted;
    const data = read(type, wanted.data);
    const { recipient, subject } = spec.about(data);
    const unsubscribeToken = tokenFor(spec.isOptional(template));
    const claim = { eventId, template, recipient, type, data: data as object, subject, unsubscribeToken };
    const claimed = await claims.claim(claim);
    if (claimed) await finish({ eventId, template, recipient, type, data, trace, again: false, ...claimed });
  };

  const again = async ({ notificationId }: z.infer<typeof againTask>, trace: Trace): Promise<void> => {
    const claimed = await claims.claimAgain(notificationId);
    if (claimed) await finish({ ...claimed, data: read(claimed.type, claimed.data), trace, state: null, again: true });
  };

  const event = async ({ id: eventId, type, trace, data: sent }: Incoming): Promise<void> => {
    const data = read(type, sent);
    const later = spec.later?.(type, data, Date.now());
    if (later) {
      const { template, at } = later;
      const id = nameId(eventId, template);
      await scheduleTask(bus, shell.name, id, { id, type: LATER, data: { eventId, type, template, data }, trace }, at);
    }
    const template = spec.accepts[type]?.template;
    if (template) return notify({ eventId, type, template, data, trace });
    const { subject } = spec.about(data);
    if (subject) await claims.remember(subject);
  };

  return async ([incoming]: readonly Incoming[]): Promise<void> => {
    if (!incoming) return;
    const { id, type, trace, data, replayed } = incoming;
    if (replayed) return shell.log.info({ event: id, type, traceId: trace.traceId }, 'replayed, nothing is delivered');
    if (type === AGAIN) return again(validate(againTask, data, `The task ${type}`, 'invalid-task'), trace);
    if (type !== LATER) return event(incoming);
    const task = validate(laterTask, data, `The task ${type}`, 'invalid-task');
    return notify({ ...task, trace });
  };
}
