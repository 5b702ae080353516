/** What a notifier's consumer brings → notices, each claimed, delivered and noted: of an event, of its reminder, or once more. */
import { randomBytes } from 'node:crypto';
import type * as z from 'zod/mini';
import type { Bus, Incoming } from '../runtime/bus.ts';
import { invalid, toAppError, unavailable } from '../runtime/errors.ts';
import type { Shell } from '../runtime/function.ts';
import { fateOf } from '../runtime/handling/failure.ts';
import { count } from '../runtime/metrics.ts';
import { validate } from '../runtime/schema.ts';
import type { Trace } from '../runtime/trace.ts';
import type { Claims, End, Subject } from './claims.ts';
import { isOptional } from './optional.ts';
import { AGAIN, againTask, REMINDER, remind, reminderTask } from './tasks.ts';
import type { Template } from './template.ts';

/** What is to be delivered. `state` is the newest of what the event is about; `again`: somebody has asked for it once more. */
export type Notice = {
  readonly eventId: string;
  readonly type: string;
  readonly template: string;
  readonly recipient: string;
  readonly data: unknown;
  readonly trace: Trace;
  readonly state: object | null;
  readonly unsubscribeToken: string | null;
  readonly again: boolean;
  /** How often its message was tried, this time included. */
  readonly attempt: number;
};

/** How an event is told of: at once, later, both, or not at all; then it is only remembered. */
export type Told = {
  readonly schema: z.ZodMiniType;
  readonly template?: Template<unknown>;
  readonly reminder?: { readonly template: Template<unknown>; at(data: unknown, now: number): string | undefined };
};

type Spec = {
  /** By the event's type. */
  readonly told: ReadonlyMap<string, Told>;
  /** Pure. The user whom an event is for, and what of it may change later. */
  about(data: unknown): { readonly recipient: string; readonly subject?: Subject };
};
type Parts = { readonly bus: Bus; readonly claims: Claims; deliver(notice: Notice): Promise<End> };
type Wanted = Pick<Notice, 'eventId' | 'type' | 'template' | 'data' | 'trace' | 'attempt'>;

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

const tokenFor = (template: string): string | undefined =>
  isOptional(template) ? randomBytes(24).toString('base64url') : undefined;

/** The handler of messages. */
export function noticeHandler({ told, about }: Spec, shell: Shell, { bus, claims, deliver }: Parts) {
  const toldOf = (type: string): Told => {
    const known = told.get(type);
    if (!known) throw invalid('wrong-type', `This notifier has no use for '${type}'`);
    return known;
  };
  const read = (type: string, data: unknown): unknown =>
    validate(toldOf(type).schema, data, `The event ${type}`, 'invalid-event');

  const finish = async (notice: Notice): Promise<void> => {
    const { eventId: event, template, trace } = notice;
    const delivery = deliver(notice);
    let end: End;
    try {
      end = await inTime(delivery);
    } catch (thrown) {
      const error = toAppError(thrown);
      const next = fateOf(error, notice.attempt) === 'dead-letter' ? 'given-up' : 'attempt';
      if (error.slug !== TOO_SLOW) await claims.release(notice, next);
      else delivery.then((late) => claims.end(notice, late)).catch(() => undefined);
      throw thrown;
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
    const { eventId, type, template, trace, attempt } = wanted;
    const data = read(type, wanted.data);
    const { recipient, subject } = about(data);
    const unsubscribeToken = tokenFor(template);
    const claim = { eventId, template, recipient, type, data: data as object, subject, unsubscribeToken };
    const claimed = await claims.claim(claim);
    if (claimed) await finish({ eventId, template, recipient, type, data, trace, attempt, again: false, ...claimed });
  };

  const again = async (notificationId: string, { trace, attempt }: Incoming): Promise<void> => {
    const claimed = await claims.claimAgain(notificationId);
    if (!claimed) return;
    const data = read(claimed.type, claimed.data);
    await finish({ ...claimed, data, trace, attempt, state: null, again: true });
  };

  const tell = async ({ id: eventId, type, trace, attempt, data: sent }: Incoming): Promise<void> => {
    const data = read(type, sent);
    const { template, reminder } = toldOf(type);
    const at = reminder?.at(data, Date.now());
    if (reminder && at !== undefined)
      await remind(bus, shell.name, { eventId, type, template: reminder.template.name, data }, trace, at);
    if (template) return notify({ eventId, type, template: template.name, data, trace, attempt });
    const { subject } = about(data);
    if (subject) await claims.remember(subject);
  };

  return async ([incoming]: readonly Incoming[]): Promise<void> => {
    if (!incoming) return;
    const { id, type, trace, data, replayed, attempt } = incoming;
    if (replayed) return shell.log.info({ event: id, type, traceId: trace.traceId }, 'replayed, nothing is delivered');
    const task = `The task ${type}`;
    if (type === REMINDER) return notify({ ...validate(reminderTask, data, task, 'invalid-task'), trace, attempt });
    if (type === AGAIN) return again(validate(againTask, data, task, 'invalid-task').notificationId, incoming);
    return tell(incoming);
  };
}
