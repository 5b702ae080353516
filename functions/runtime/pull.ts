/** Pulls from a JetStream consumer never more than there is room for, so that no message waits in a client's buffer. */
import type { Msg, NatsConnection } from './bus.ts';
import type { Log } from './log.ts';

export type PullOptions = {
  readonly stream: string;
  readonly consumer: string;
  /** Messages delivered but not yet given back by `done`, at most. */
  readonly inFlight: number;
};

export type Pull = {
  /** Says that one delivered message is finished: there is room for another. */
  done(): void;
  /** undefined while the consumer answers, else what is wrong. */
  problem(): string | undefined;
  /** What was asked for is lost, with a connection: asks anew. */
  askAgain(): void;
  /** Asks for nothing more. The server forgets what was asked for; what had left it before is still delivered. */
  stop(): Promise<void>;
};

const EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 5_000;
const NANOS = 1e6;

export function startPull(
  connection: NatsConnection,
  inbox: string,
  { stream, consumer, inFlight }: PullOptions,
  log: Log,
  receive: (message: Msg, ackSubject: string) => void,
): Pull {
  let busy = 0;
  let asked = 0;
  let requests = 0;
  let heard = Date.now();
  let problem: string | undefined;
  let retry: NodeJS.Timeout | undefined;
  let stopped = false;

  const ask = (): void => {
    const room = inFlight - busy - asked;
    if (stopped || retry || room <= 0 || (asked > 0 && room < inFlight / 2)) return;
    asked += room;
    requests += 1;
    const body = { batch: room, expires: EXPIRES_MS * NANOS, idle_heartbeat: HEARTBEAT_MS * NANOS };
    connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify(body), {
      reply: `${inbox}.${requests}`,
    });
  };

  const askLater = (why: string): void => {
    if (problem !== why) log.error({ stream, consumer, problem: why }, 'cannot pull from the consumer');
    problem = why;
    asked = 0;
    retry ??= setTimeout(() => {
      retry = undefined;
      ask();
    }, 1_000);
  };

  const control = (message: Msg): void => {
    const code = message.headers?.code ?? 0;
    if (code === 100) return;
    const description = message.headers?.description || `status ${code}`;
    if (code === 503) return askLater(`no stream ${stream} with a consumer ${consumer}`);
    if (code === 409 && /deleted|exceeded maxwaiting/i.test(description)) return askLater(description.toLowerCase());
    // The request has ended with part of it unfilled (408 expired, 409 such as a change of leader).
    asked = Math.max(0, asked - (Number(message.headers?.get('Nats-Pending-Messages')) || asked));
    ask();
  };

  const subscription = connection.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error) return askLater(error.message);
      heard = Date.now();
      if (!message.reply?.startsWith('$JS.ACK.')) return control(message);
      problem = undefined;
      asked = Math.max(0, asked - 1);
      busy += 1;
      receive(message, message.reply);
    },
  });

  // A request can be lost with a connection or a server; its heartbeats then stop, and it is asked again.
  const askAgain = (): void => {
    asked = 0;
    heard = Date.now();
    ask();
  };
  const watch = setInterval(() => {
    if (asked > 0 && Date.now() - heard > 2.5 * HEARTBEAT_MS) askAgain();
  }, HEARTBEAT_MS);
  ask();

  return {
    done() {
      busy -= 1;
      ask();
    },
    problem: () => problem,
    askAgain,
    async stop() {
      stopped = true;
      clearInterval(watch);
      clearTimeout(retry);
      subscription.unsubscribe();
      await connection.flush().catch(() => undefined);
    },
  };
}
