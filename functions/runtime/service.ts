/** Builder of gRPC services: unary handlers as async functions, served with health checks, limits and a drain. */

import type { Definition, Shell } from './function.ts';
import { openAnswers } from './grpc/answers.ts';
import { healthOffers, remember } from './grpc/health.ts';
import { MAX_MESSAGE_BYTES, type Offer } from './grpc/methods.ts';
import { openServerCredentials, type TlsSettings, tlsSettings } from './grpc/tls.ts';
import { integer, type SettingsOf, setting } from './settings.ts';

type Opened = {
  readonly offers: readonly Offer[];
  /** undefined when it can serve, else why not. Asked every 2 s at most. */
  notReady(): Promise<string | undefined>;
  /** Resolves when work that outlived its calls is done. */
  settle(): Promise<void>;
};
type ServiceSpec<Own extends object> = {
  readonly settings: SettingsOf<Own>;
  /** Types of the messages that it sends. */
  readonly publishes?: readonly string[];
  /** Calls in work at the same time (256); one more is refused as `too-many-calls`. */
  readonly maxCalls?: number;
  open(shell: Shell<Own>): Promise<Opened>;
};

const MAX_CALLS = 256;
const OPTIONS = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  // Of one connection: less than MAX_CALLS, so that no single caller takes them all.
  'grpc.max_concurrent_streams': 128,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // Clients look the address up anew when a connection ends: so they find new pods within a minute.
  'grpc.max_connection_age_ms': 60_000,
  'grpc.max_connection_age_grace_ms': 10_000,
  // Without channelz, forceShutdown() of grpc-js 1.14 leaves connections open: it must stay on.
};

export const serviceSettings = {
  GRPC_PORT: setting('The port of the gRPC server', integer(0, 65_535), '50051'),
  ...tlsSettings,
};
type ServiceSettings = { readonly GRPC_PORT: number } & TlsSettings;

/** A gRPC service; `open` gives its handlers to those who measure them without gRPC. */
export type ServiceDefinition<Own extends object> = Definition<Own & ServiceSettings> & {
  open(shell: Shell<Own>): Promise<Opened>;
};

export function service<Own extends object>(spec: ServiceSpec<Own>): ServiceDefinition<Own> {
  return {
    open: (shell) => spec.open(shell),
    kind: 'service',
    settings: { ...serviceSettings, ...spec.settings },
    consumes: [],
    publishes: spec.publishes ?? [],
    schedules: [],
    inFlight: 0,
    async start(shell) {
      const grpc = await import('@grpc/grpc-js');
      const { credentials, secure } = await openServerCredentials(grpc, shell);
      const opened = await spec.open(shell);
      const ready = remember(opened.notReady);
      let draining: string | undefined;

      const server = new grpc.Server(OPTIONS);
      const answers = openAnswers({
        log: shell.log,
        maxCalls: spec.maxCalls ?? MAX_CALLS,
        secure,
        newMetadata: () => new grpc.Metadata(),
      });
      const health = healthOffers({
        '': async () => draining,
        readiness: async () => draining ?? ready.fresh(),
        liveness: async () => undefined,
      });
      const same = (bytes: Buffer): Buffer => bytes;
      for (const each of [...opened.offers, ...health])
        server.register(each.method.path, answers.of(each), same, same, 'unary');

      const { HOST, GRPC_PORT, DRAIN_SECONDS } = shell.settings;
      const address = `${HOST.includes(':') ? `[${HOST}]` : HOST}:${GRPC_PORT}`;
      const port = await new Promise<number>((resolve, reject) =>
        server.bindAsync(address, credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
      );
      shell.log.info({ port, secure }, 'serving gRPC');

      return {
        notReady: () => draining ?? ready.now(),
        async drain() {
          draining = 'draining';
          // Calls that will not end are cut off while there is still time to settle what they began.
          const giveUp = setTimeout(() => server.forceShutdown(), DRAIN_SECONDS * 800);
          await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
          clearTimeout(giveUp);
          await answers.settled();
          await opened.settle();
        },
      };
    },
  };
}
