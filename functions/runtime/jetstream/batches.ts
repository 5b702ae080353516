/** Messages published at the same time → one atomic batch of JetStream (ADR-50) where that costs less, else each by itself. */
import { randomUUID } from 'node:crypto';
import type { MsgHdrs, Payload } from './client.ts';
import { type Confirmed, isUnanswered } from './confirmations.ts';

/** First tokens of subjects whose streams take no batches. All others are those of commands and events: all of one in one stream. */
const UNBATCHED: ReadonlySet<string> = new Set(['retry', 'waiting', 'parked', 'dead', 'audit']);
/** A batch costs the server about as much as so many messages by themselves. */
const FEWEST = 32;
/** JetStream takes 1000. */
const MOST = 256;

const BATCH = { id: 'Nats-Batch-Id', sequence: 'Nats-Batch-Sequence', commit: 'Nats-Batch-Commit' } as const;

type Message = { readonly subject: string; readonly payload: Payload; readonly headers: MsgHdrs };
type Waiting = Message & { resolve(sequence: number): void; reject(why: unknown): void };

/** Stores all, or none; gives the sequence of the first. */
async function publishBatch(confirmed: Confirmed, messages: readonly Message[]): Promise<number> {
  const id = randomUUID();
  for (const [index, { headers }] of messages.entries()) {
    headers.set(BATCH.id, id);
    headers.set(BATCH.sequence, String(index + 1));
  }
  const [last] = messages.slice(-1);
  if (!last) return 0;
  for (const { subject, payload, headers } of messages.slice(0, -1)) confirmed.publishPart(subject, payload, headers);
  last.headers.set(BATCH.commit, '1');
  const sequence = await confirmed.publish(last.subject, last.payload, last.headers);
  return sequence - messages.length + 1;
}

async function publishSingly({ publish }: Confirmed, group: readonly Waiting[]): Promise<void> {
  const attempts = group.map(({ subject, payload, headers, resolve, reject }) => {
    for (const name of Object.values(BATCH)) headers.delete(name);
    return publish(subject, payload, headers).then(resolve, reject);
  });
  await Promise.all(attempts);
}

async function publishGroup(confirmed: Confirmed, group: readonly Waiting[]): Promise<void> {
  try {
    if (group.length < FEWEST) return await publishSingly(confirmed, group);
    const first = await publishBatch(confirmed, group);
    for (const [index, { resolve }] of group.entries()) resolve(first + index);
  } catch (why) {
    // Refused as a whole for one of them, such as a message that is stored already.
    if (!isUnanswered(why)) return publishSingly(confirmed, group);
    for (const { reject } of group) reject(why);
  }
}

/** Of one stream. Messages wait for others only while many are under way: so groups grow with the load. */
function openQueue(confirmed: Confirmed): (message: Waiting) => void {
  const waiting: Waiting[] = [];
  let underWay = 0;
  let due = false;

  const send = async (group: readonly Waiting[]): Promise<void> => {
    underWay += group.length;
    await publishGroup(confirmed, group);
    underWay -= group.length;
    sendSoon();
  };

  const sendSoon = (): void => {
    if (due || waiting.length === 0) return;
    due = true;
    process.nextTick(() => {
      due = false;
      while (waiting.length > 0 && underWay < FEWEST) void send(waiting.splice(0, MOST));
    });
  };

  return (message) => {
    waiting.push(message);
    sendSoon();
  };
}

/** `publish` of `confirmed`, with the same outcome for each message. */
export function openBatches(confirmed: Confirmed): Confirmed['publish'] {
  const queues = new Map<string, ReturnType<typeof openQueue>>();
  const queueOf = (token: string) => {
    const queue = queues.get(token) ?? openQueue(confirmed);
    queues.set(token, queue);
    return queue;
  };
  return (subject, payload, headers) => {
    const [token = ''] = subject.split('.', 1);
    if (UNBATCHED.has(token)) return confirmed.publish(subject, payload, headers);
    const queue = queueOf(token);
    return new Promise((resolve, reject) => queue({ subject, payload, headers, resolve, reject }));
  };
}
