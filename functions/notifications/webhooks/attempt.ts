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
import type { Turns } from './turns.ts';

type Parts = {
  readonly bus: Bus;
  readonly log: Log;
  readonly store: Store;
  readonly post: Post;
  readonly bulkhead: Bulkhead;
  readonly turns: Turns;
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
const isToDo = (loaded: Loaded | undefined, { attempt }: AttemptData): loaded is Loaded =>
  loaded?.status === 'pending' && loaded.attempts < attempt;

async function suppress({ store, log }: Parts, { deliveryId }: AttemptData, { endpointId }: Loaded): Promise<void> {
  await store.suppress(deliveryId);
  count('millrace.webhooks.deliveries', { outcome: 'suppressed' });
  log.info({ endpoint: endpointId, delivery: deliveryId }, 'suppressed: the endpoint is disabled');
}

/** First attempts go side by side; later ones of the same endpoint take turns, which spares one that has just come back. */
export const openAttempts = (parts: Parts) =>
  async function attempt(data: AttemptData, trace: Trace): Promise<void> {
    const { bus, store, bulkhead, turns } = parts;
    const { deliveryId, step } = data;
    const loaded = await store.load(deliveryId);
    if (!isToDo(loaded, data)) return;
    const { endpointId, dueAt } = loaded;
    /** What was loaded before a wait may be over. */
    const work = async (latest: Loaded | undefined): Promise<void> => {
      if (!isToDo(latest, data)) return;
      await (latest.enabled ? make(parts, data, latest, trace) : suppress(parts, data, latest));
    };
    const made =
      step === 1
        ? await bulkhead.run(endpointId, () => work(loaded))
        : await turns.run(endpointId, { id: deliveryId, dueMs: dueAt.getTime() }, async () =>
            work(await store.load(deliveryId)),
          );
    if ('done' in made) return;
    await scheduleTask(bus, WEBHOOKS, deliveryId, attemptTask(data, trace), inMs(made.againMs));
  };
