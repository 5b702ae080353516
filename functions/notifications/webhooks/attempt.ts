/** The task of an attempt → a signed POST, and what it led to: the end, or the task of the next one, which waits in NATS. */
import type { Bus } from '../../runtime/bus.ts';
import type { Log } from '../../runtime/log.ts';
import { count, record } from '../../runtime/metrics.ts';
import { scheduleTask } from '../../runtime/task.ts';
import type { Trace } from '../../runtime/trace.ts';
import { type AttemptData, attemptTask, WEBHOOKS } from '../webhook-deliveries.ts';
import type { Bulkhead } from './bulkhead.ts';
import { outcomeOf } from './outcome.ts';
import type { Post } from './post.ts';
import { signedHeaders } from './signature.ts';
import type { Loaded, Store } from './store.ts';

type Parts = {
  readonly bus: Bus;
  readonly log: Log;
  readonly store: Store;
  readonly post: Post;
  readonly bulkhead: Bulkhead;
  readonly retrySeconds: readonly number[];
};

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

const classOf = (status: number | undefined): string =>
  status === undefined ? 'none' : `${String(status).charAt(0)}xx`;

function postOnce(post: Post, deliveryId: string, { url, event, secrets }: Loaded) {
  const signed = signedHeaders(deliveryId, Date.now(), event, secrets);
  const headers = { ...signed, 'content-type': 'application/cloudevents+json', 'user-agent': 'Millrace' };
  return post(url, headers, event);
}

async function make(parts: Parts, data: AttemptData, loaded: Loaded, trace: Trace): Promise<void> {
  const { bus, log, store, post, retrySeconds } = parts;
  const { deliveryId, attempt, step } = data;
  const { endpointId, createdAt } = loaded;
  const answer = await postOnce(post, deliveryId, loaded);
  const outcome = outcomeOf(answer, step, retrySeconds, Date.now());
  const about = { endpoint: endpointId, delivery: deliveryId, attempt, reason: answer.reason };
  count('millrace.webhooks.attempts', { status: classOf(answer.status) });
  if (outcome.end === undefined) {
    const nextAt = inMs(outcome.againMs);
    // First the next attempt, then the note: after a crash in between this one is made again, and none is lost.
    const next = attemptTask({ deliveryId, attempt: attempt + 1, step: step + 1 }, trace);
    await scheduleTask(bus, WEBHOOKS, deliveryId, next, nextAt);
    await store.note({ deliveryId, attempt, status: 'pending', answer, nextAt });
    return log.info({ ...about, nextAt }, 'not delivered; will try again');
  }
  if (outcome.end === 'gone') {
    await store.note({ deliveryId, attempt, status: 'suppressed', answer });
    const others = await store.disable(endpointId, 'it answered 410 Gone');
    count('millrace.webhooks.deliveries', { outcome: 'suppressed' }, others + 1);
    return log.warn({ ...about, suppressed: others + 1 }, 'endpoint is gone, and was disabled');
  }
  await store.note({ deliveryId, attempt, status: outcome.end, answer });
  count('millrace.webhooks.deliveries', { outcome: outcome.end });
  if (outcome.end === 'failed') return log.warn(about, 'not delivered, and given up');
  record('millrace.webhooks.delivery', {}, (Date.now() - createdAt.getTime()) / 1_000, trace.traceId);
  log.info(about, 'delivered');
}

/** A task that has nothing left to do is dropped: the delivery has ended, or was tried by another one meanwhile. */
export const openAttempts = (parts: Parts) =>
  async function attempt(data: AttemptData, trace: Trace): Promise<void> {
    const loaded = await parts.store.load(data.deliveryId);
    if (loaded?.status !== 'pending' || loaded.attempts >= data.attempt) return;
    const made = await parts.bulkhead.run(loaded.endpointId, () => make(parts, data, loaded, trace));
    if ('done' in made) return;
    const { deliveryId } = data;
    await scheduleTask(parts.bus, WEBHOOKS, deliveryId, attemptTask(data, trace), inMs(made.againMs));
  };
