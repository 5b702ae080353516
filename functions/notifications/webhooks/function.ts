/** Order events → a delivery to each endpoint that wants them, and attempts to make it, by schedule, until one succeeds. */
import { ORDERS, orderEvents } from '../../orders/events.ts';
import { type Incoming, type NatsSettings, natsSettings, openBus } from '../../runtime/bus.ts';
import type { Definition } from '../../runtime/function.ts';
import { consume } from '../../runtime/handling/consume.ts';
import { type DatabaseSettings, databaseSettings, openDatabase } from '../../runtime/postgres.ts';
import { validate } from '../../runtime/schema.ts';
import { secondsList, setting } from '../../runtime/settings.ts';
import { sendTask } from '../../runtime/task.ts';
import { ATTEMPT, attemptData, attemptTask, WEBHOOKS } from '../webhook-deliveries.ts';
import { PORTS, type TargetSettings, targetSettings } from '../webhook-target.ts';
import { openAttempts } from './attempt.ts';
import { openBulkhead } from './bulkhead.ts';
import { cloudEventOf } from './cloud-event.ts';
import { openPost } from './post.ts';
import { openRetention } from './retention.ts';
import { openStore } from './store.ts';
import { openTurns } from './turns.ts';

const TYPES = Object.keys(orderEvents);
const IN_FLIGHT = 8;
/** Attempts take up to 10 s each, and an endpoint has four of them at most. */
const ATTEMPTS_IN_FLIGHT = 32;

const RETRY_SECONDS = '5,30,120,600,1800,3600,10800,21600,43200';

const settings = {
  ...natsSettings,
  ...databaseSettings,
  ...targetSettings,
  WEBHOOK_RETRY_SECONDS: setting('Seconds before each further attempt of a delivery', secondsList, RETRY_SECONDS),
};
type Own = NatsSettings & DatabaseSettings & TargetSettings & { readonly WEBHOOK_RETRY_SECONDS: readonly number[] };

const webhooks: Definition<Own> = {
  kind: 'notifier',
  ownRole: true,
  settings,
  stream: ORDERS,
  outbound: [{ host: '*', ports: PORTS }],
  consumes: TYPES,
  publishes: [],
  tasksTo: [WEBHOOKS],
  schedules: [],
  inFlight: IN_FLIGHT,
  retriesInFlight: ATTEMPTS_IN_FLIGHT,
  async start(shell) {
    const bus = await openBus(shell);
    const store = openStore(openDatabase(shell));
    const removeOld = openRetention(store, shell.log);
    const attempt = openAttempts({
      bus,
      log: shell.log,
      store,
      post: openPost({ loopback: shell.settings.WEBHOOK_ALLOW_LOOPBACK === 'true' }),
      bulkhead: openBulkhead(),
      turns: openTurns(),
      retrySeconds: shell.settings.WEBHOOK_RETRY_SECONDS,
    });

    /** An event that comes again finds its rows, and sends its tasks again: one that was done before is dropped. */
    const fanOut = async (incoming: Incoming): Promise<void> => {
      const { id, type, trace } = incoming;
      const deliveryIds = await store.addDeliveries(id, type, cloudEventOf(incoming, orderEvents));
      const tasks = deliveryIds.map((deliveryId) => attemptTask({ deliveryId, attempt: 1, step: 1 }, trace));
      await Promise.all(tasks.map((task) => sendTask(bus, WEBHOOKS, task)));
      if (tasks.length > 0) await removeOld();
    };

    const handle = async ([incoming]: readonly Incoming[]): Promise<void> => {
      if (!incoming || incoming.replayed) return;
      if (incoming.type !== ATTEMPT) return fanOut(incoming);
      await attempt(validate(attemptData, incoming.data, `The task ${ATTEMPT}`, 'invalid-task'), incoming.trace);
    };
    const options = {
      stream: ORDERS,
      consumer: shell.name,
      types: TYPES,
      tasks: [ATTEMPT],
      inFlight: IN_FLIGHT,
      batch: 1,
      concurrency: IN_FLIGHT,
      retriesInFlight: ATTEMPTS_IN_FLIGHT,
    };
    return consume(shell, bus, options, handle);
  },
};

export default webhooks;
