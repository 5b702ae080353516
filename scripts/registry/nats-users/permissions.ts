/** Functions and consumers → the users of NATS, each with the subjects that it needs and no others. Pure. */
import type { Definition } from '../../../functions/runtime/function.ts';
import { retriesOf, retrySubject } from '../../../functions/runtime/handling/retries.ts';
import { CANCEL_TIMER, timersOf } from '../../../functions/runtime/jetstream/schedules.ts';
import { answersTo, filterOf, inboxOf } from '../../../functions/runtime/messages/message.ts';

/** Subjects, with NATS's wildcards: what it may publish to and subscribe to. */
export type NatsUser = {
  readonly name: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
};

export type PulledConsumer = { readonly streamName: string; readonly durableName: string };

export type NamedFunction = Pick<
  Definition,
  'kind' | 'settings' | 'consumes' | 'publishes' | 'schedules' | 'tasksTo'
> & {
  readonly name: string;
};

/**
 * To pull from a consumer, and to end what came from it. The server has two forms of that subject; the second begins with
 * the domain, `_` for none: any other there could name a consumer of the first form.
 */
const pulling = ({ streamName, durableName }: PulledConsumer): string[] => [
  `$JS.API.CONSUMER.MSG.NEXT.${streamName}.${durableName}`,
  `$JS.ACK.${streamName}.${durableName}.>`,
  `$JS.ACK._.*.${streamName}.${durableName}.>`,
];

function functionUser(
  { name, kind, consumes, publishes, schedules, tasksTo = [] }: NamedFunction,
  functions: readonly NamedFunction[],
  consumers: readonly PulledConsumer[],
): NatsUser {
  const own = consumers.filter(({ durableName }) => durableName === name || durableName === retriesOf(name));
  // A policy does not wait for what its command leads to.
  const asking = functions.filter(
    (one) => one.kind === 'http' && one.publishes.some((type) => consumes.includes(type)),
  );
  return {
    name,
    publish: [
      ...own.flatMap(pulling),
      ...(own.length > 0 ? [`waiting.${name}.>`, `dead.${name}`] : []),
      ...publishes.map(filterOf),
      ...tasksTo.map(retrySubject),
      ...schedules.map((type) => `${timersOf(type)}.*`),
      ...(schedules.length > 0 ? [`$JS.API.${CANCEL_TIMER}`] : []),
      ...(kind === 'command' ? asking.map((one) => `${answersTo(one.name)}.>`) : []),
    ],
    subscribe: [`${inboxOf(name)}.>`],
  };
}

/** Who runs the shop: sends commands, looks into streams, and handles dead letters. */
export const OPERATOR: NatsUser = {
  name: 'operator',
  publish: [
    'command.>',
    'retry.*',
    'dead.>',
    'audit.>',
    '$JS.API.INFO',
    '$JS.API.STREAM.NAMES',
    '$JS.API.STREAM.LIST',
    '$JS.API.STREAM.INFO.*',
    '$JS.API.STREAM.MSG.GET.*',
    '$JS.API.STREAM.MSG.DELETE.*',
    `$JS.API.${CANCEL_TIMER}`,
    '$JS.API.CONSUMER.NAMES.*',
    '$JS.API.CONSUMER.LIST.*',
    '$JS.API.CONSUMER.INFO.*.*',
  ],
  subscribe: [`${inboxOf('operator')}.>`],
};

/** Keeps streams and consumers as their YAML says; all of them have `preventDelete`, so it need not be able to. */
export const NACK: NatsUser = {
  name: 'nack',
  publish: [
    '$JS.API.INFO',
    '$JS.API.STREAM.INFO.*',
    '$JS.API.STREAM.CREATE.*',
    '$JS.API.STREAM.UPDATE.*',
    '$JS.API.CONSUMER.INFO.*.*',
    '$JS.API.CONSUMER.CREATE.*.*',
    '$JS.API.CONSUMER.CREATE.*.*.>',
    '$JS.API.CONSUMER.DURABLE.CREATE.*.*',
  ],
  // Of its Go client, which takes no other prefix: `_INBOX.<random>.<random>`. The others' inboxes are longer.
  subscribe: ['_INBOX.*.*', `${inboxOf('nack')}.>`],
};

/** The users that a shop needs, by name. */
export const usersOf = (functions: readonly NamedFunction[], consumers: readonly PulledConsumer[]): NatsUser[] =>
  [
    ...functions.filter(({ settings }) => 'NATS_URL' in settings).map((one) => functionUser(one, functions, consumers)),
    OPERATOR,
    NACK,
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
