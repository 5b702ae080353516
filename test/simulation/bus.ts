/** A small model of JetStream: streams, work queues, consumers, redelivery, dedupe by message id, and schedules. */

import { unavailable } from '../../functions/runtime/errors.ts';
import type { Payload } from '../../functions/runtime/jetstream/client.ts';
import type { Bus } from '../../functions/runtime/jetstream/connection.ts';
import type { DeliveredMessage } from '../../functions/runtime/jetstream/delivered-message.ts';
import { type Consumer, openConsumer } from './consumer.ts';
import type { Action, Network, Process } from './network.ts';

export type Stored = {
  readonly sequence: number;
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: Uint8Array;
  readonly scheduledOn: string | undefined;
  readonly storedAt: number;
};
export type Stream = {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly isQueue: boolean;
  readonly dedupeMs: number;
  readonly messages: Map<number, Stored>;
};
type Pull = {
  readonly process: Process;
  readonly consumer: Consumer;
  readonly receive: (message: DeliveredMessage) => void;
  room: number;
};

const MINUTE = 60_000;
const stream = (name: string, subjects: string[], isQueue: boolean, dedupeMs: number): Stream => ({
  name,
  subjects,
  isQueue,
  dedupeMs,
  messages: new Map(),
});

function matches(filter: string, subject: string): boolean {
  const tokens = subject.split('.');
  const wanted = filter.split('.');
  if (wanted.at(-1) === '>')
    return (
      tokens.length >= wanted.length &&
      matches(wanted.slice(0, -1).join('.'), tokens.slice(0, wanted.length - 1).join('.'))
    );
  return tokens.length === wanted.length && wanted.every((token, index) => token === '*' || token === tokens[index]);
}

const noAnswer = (): Error => unavailable('nats-unavailable', 'JetStream did not confirm');

export function openJetStream(network: Network) {
  const orders = stream('ORDERS', ['order.>'], false, 5 * MINUTE);
  const streams = [
    stream('COMMANDS', ['command.>', 'parked.>'], true, 2 * MINUTE),
    orders,
    stream('RETRIES', ['retry.*', 'waiting.>'], true, 2 * MINUTE),
    stream('DEAD_LETTERS', ['dead.>'], false, 2 * MINUTE),
  ];
  const consumers = new Map<string, Consumer>();
  const seen = new Map<string, number>();
  const schedules = new Map<string, NodeJS.Timeout>();
  const inboxes = new Map<string, (token: string, payload: string) => void>();
  let pulls: Pull[] = [];
  let sequences = 0;

  const streamOf = (subject: string): Stream => {
    const found = streams.find(({ subjects }) => subjects.some((filter) => matches(filter, subject)));
    if (!found) throw new Error(`no stream takes ${subject}`);
    return found;
  };

  const isRepeat = ({ name, dedupeMs }: Stream, messageId: string | undefined): boolean => {
    if (messageId === undefined) return false;
    const key = `${name} ${messageId}`;
    const before = seen.get(key);
    if (before !== undefined && Date.now() - before < dedupeMs) return true;
    seen.set(key, Date.now());
    return false;
  };

  const keepSchedule = (subject: string, data: Uint8Array, headers: Stored['headers']): void => {
    const { 'nats-schedule': at = '', 'nats-schedule-target': target = '', ...rest } = headers;
    const due = Date.parse(at.replace('@at ', ''));
    if (Number.isNaN(due) || streamOf(target) !== streamOf(subject)) throw new Error(`a bad schedule on ${subject}`);
    clearTimeout(schedules.get(subject));
    const fire = (): void => {
      schedules.delete(subject);
      store(target, data, rest, undefined, subject);
    };
    schedules.set(subject, setTimeout(fire, Math.max(0, due - Date.now())));
  };

  function store(
    subject: string,
    payload: Payload,
    fields: Readonly<Record<string, string>>,
    messageId?: string,
    scheduledOn?: string,
  ): void {
    const to = streamOf(subject);
    if (isRepeat(to, messageId)) return;
    const headers = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));
    const data = Buffer.from(payload);
    if (headers['nats-schedule']) return keepSchedule(subject, data, headers);
    sequences += 1;
    to.messages.set(sequences, { sequence: sequences, subject, headers, data, scheduledOn, storedAt: Date.now() });
    for (const consumer of consumers.values()) if (consumer.stream === to) consumer.offer(sequences, subject);
  }

  const deliver = (pull: Pull, sequence: number, again: boolean): void => {
    const { consumer, process } = pull;
    const message = consumer.take(sequence);
    if (again) consumer.giveBack(sequence);
    const tell = (verb: string, effect: () => void): void =>
      network.tell(process, `${verb} ${consumer.name} ${sequence}`, effect);
    pull.room -= 1;
    pull.receive({
      ...message,
      ack: () => tell('ack', () => consumer.end(sequence)),
      term: () => tell('term', () => consumer.end(sequence)),
      nak: (delayMs) => tell('nak', () => consumer.delay(sequence, delayMs)),
      working: () => {
        if (process.alive) consumer.extend(sequence);
      },
    });
  };

  const portOf = (process: Process): Bus => ({
    async publish(subject, payload, headers, messageId) {
      await network.call(process, `publish ${subject}`, () => store(subject, payload, headers, messageId), noAnswer);
      // No function looks at it.
      return 0;
    },
    send: (subject, payload) => {
      const [, inbox = '', token = ''] = subject.split('.');
      network.tell(process, `send ${subject}`, () => inboxes.get(inbox)?.(token, String(payload)));
    },
    inbox(receive) {
      inboxes.set(process.function, receive);
      return `_INBOX.${process.function}`;
    },
    pull({ consumer: name, inFlight }, receive) {
      const consumer = consumers.get(name);
      if (!consumer) throw new Error(`there is no consumer ${name}`);
      const pull: Pull = { process, consumer, receive, room: inFlight };
      pulls.push(pull);
      return {
        done: () => {
          pull.room += 1;
        },
        problem: () => undefined,
        askAgain: () => undefined,
        refused: () => undefined,
        stop: async () => {
          pulls = pulls.filter((other) => other !== pull);
        },
      };
    },
    api: <T>(path: string, body?: object) => {
      const { filter } = body as { filter: string };
      if (path !== 'STREAM.PURGE.COMMANDS') throw new Error(`the model knows no ${path}`);
      const purge = (): T => {
        clearTimeout(schedules.get(filter));
        schedules.delete(filter);
        return {} as T;
      };
      return network.call(process, `purge ${filter}`, purge, noAnswer);
    },
    connected: () => true,
    flush: async () => undefined,
  });

  return {
    portOf,
    addConsumer(name: string, streamName: string, filters: readonly string[]): void {
      const from = streams.find((one) => one.name === streamName);
      if (!from) throw new Error(`there is no stream ${streamName}`);
      consumers.set(
        name,
        openConsumer(name, from, (subject) => filters.some((filter) => matches(filter, subject))),
      );
    },
    /** What can be delivered: any waiting message to any process that has room. */
    deliveries: (): (Action & { again(): void })[] =>
      pulls
        .filter(({ room, process }) => room > 0 && process.alive)
        .flatMap((pull) =>
          pull.consumer.waiting().map((sequence) => ({
            process: pull.process,
            label: `deliver ${pull.consumer.name} ${sequence}`,
            happen: (fate) => {
              if (fate === 'whole') deliver(pull, sequence, false);
              else if (fate !== 'refused') pull.consumer.take(sequence);
            },
            again: () => deliver(pull, sequence, true),
          })),
        ),
    disconnect(process: Process): void {
      pulls = pulls.filter((pull) => pull.process !== process);
    },
    isIdle: () => schedules.size === 0 && [...consumers.values()].every((consumer) => consumer.isIdle()),
    isPublished: (orderId: string, version: number): boolean =>
      [...orders.messages.values()].some(
        ({ subject, data }) =>
          subject.split('.')[1] === orderId && JSON.parse(Buffer.from(data).toString()).order.version === version,
      ),
    messagesOf: (streamName: string): Stored[] => [
      ...(streams.find(({ name }) => name === streamName)?.messages.values() ?? []),
    ],
  };
}
