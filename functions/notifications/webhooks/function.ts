/** Order events → a delivery to each endpoint that wants them, and attempts to make it, by schedule, until one succeeds. */
import { ORDERS, orderEvents } from '../../orders/events.ts';
import { type Claims, notifier } from '../../runtime/notifier.ts';
import { validate } from '../../runtime/schema.ts';
import { secondsList, setting } from '../../runtime/settings.ts';
import { sendTask } from '../../runtime/task.ts';
import { ATTEMPT, attemptData, attemptTask, WEBHOOKS } from '../webhook-deliveries.ts';
import { PORTS, targetSettings } from '../webhook-target.ts';
import { openAttempts } from './attempt.ts';
import { openBulkhead } from './bulkhead.ts';
import { cloudEventOf } from './cloud-event.ts';
import { openPost } from './post.ts';
import { openRetention } from './retention.ts';
import { openStore } from './store.ts';
import { openTurns } from './turns.ts';

/** Attempts take up to 10 s each, and an endpoint has four of them at most. */
const ATTEMPTS_IN_FLIGHT = 32;

const RETRY_SECONDS = '5,30,120,600,1800,3600,10800,21600,43200';

const settings = {
  ...targetSettings,
  WEBHOOK_RETRY_SECONDS: setting(
    'Seconds before each further attempt of a delivery; it is given up after the attempt that follows the last',
    secondsList,
    RETRY_SECONDS,
  ),
};

/** The row of a delivery is its claim, and a task that was done before is dropped: an event that comes again sends its tasks again. */
const rows: Claims = {
  claim: async () => ({}),
  claimAgain: async () => undefined,
  end: async () => undefined,
  release: async () => undefined,
};

export default notifier({
  stream: ORDERS,
  accepts: orderEvents,
  channel: 'webhook',
  settings,
  ownRole: true,
  outbound: [{ host: '*', ports: PORTS }],
  tasksTo: [WEBHOOKS],
  breaker: false,
  claims: null,
  retriesInFlight: ATTEMPTS_IN_FLIGHT,
  open(shell, { bus, database }) {
    const store = openStore(database);
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
    return {
      claims: rows,
      /** Each endpoint that wants the event is told of it: the recipients are deliveries, one an endpoint. */
      async notifications({ id, type, data }, incoming) {
        const deliveryIds = await store.addDeliveries(id, type, cloudEventOf(incoming, data));
        return deliveryIds.map((recipient) => ({ template: type, recipient }));
      },
      async deliver({ recipient: deliveryId, trace }) {
        await sendTask(bus, WEBHOOKS, attemptTask({ deliveryId, attempt: 1, step: 1 }, trace));
        await removeOld();
        return { status: 'queued' };
      },
      tasks: {
        [ATTEMPT]: ({ data, trace }) =>
          attempt(validate(attemptData, data, `The task ${ATTEMPT}`, 'invalid-task'), trace),
      },
    };
  },
});
