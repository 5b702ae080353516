/** Builder of gRPC services: unary handlers as async functions, served with health checks, limits and a drain. */
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { Setting } from './config.ts';
import { CODES, invalid, toAppError } from './errors.ts';
import type { Definition, Shell } from './function.ts';
import { type AnyMethod, MAX_MESSAGE_BYTES, type Offer, toStatus } from './grpc.ts';
import { healthOffers, remember } from './grpc-health.ts';
import { continueTrace, type Trace } from './trace.ts';

type Opened = {
  readonly offers: readonly Offer[];
  /** undefined when it can serve, else why not. Asked every 2 s at most. */
  notReady(): Promise<string | undefined>;
  /** Resolves when work that outlived its calls is done. */
  settle(): Promise<void>;
};
type ServiceSpec<Need extends Setting> = {
  readonly needs: readonly Need[];
  open(shell: Shell<Need>): Promise<Opened>;
};

const OPTIONS = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // Clients look the address up anew when a connection ends: so they find new pods within a minute.
  'grpc.max_connection_age_ms': 60_000,
  'grpc.max_connection_age_grace_ms': 10_000,
};

const readRequest = (method: AnyMethod, bytes: Buffer): never => {
  try {
    return method.requestDeserialize(bytes) as never;
  } catch {
    throw invalid('malformed-message', `The message for ${method.path} is not of its protobuf type`);
  }
};

export function service<Need extends Setting>(spec: ServiceSpec<Need>): Definition<Need | 'GRPC_PORT'> {
  return {
    kind: 'service',
    needs: ['GRPC_PORT', ...spec.needs],
    consumes: [],
    inFlight: 0,
    async start(shell) {
      const { Server, ServerCredentials, Metadata } = await import('@grpc/grpc-js');
      const opened = await spec.open(shell);
      const ready = remember(opened.notReady);
      let draining: string | undefined;
      const active = new Set<Promise<void>>();

      const refuse = (thrown: unknown, method: AnyMethod, trace: Trace, callback: sendUnaryData<Buffer>): void => {
        const error = toAppError(thrown);
        const about = { method: method.path, traceId: trace.traceId, code: error.code, error: error.slug };
        const origin = error.cause instanceof Error ? error.cause : error;
        if (error.code === 'internal') shell.log.error({ ...about, stack: origin.stack }, 'call failed');
        else if (CODES[error.code].fate === 'retry')
          shell.log.warn({ ...about, detail: origin.message }, 'call failed');
        const { code, details, fields } = toStatus(error);
        const metadata = new Metadata();
        for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
        callback({ code, details, metadata });
      };

      const answer = ({ method, handler }: Offer) => {
        return (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
          const strings = Object.entries(call.metadata.getMap()).filter(([, value]) => typeof value === 'string');
          const metadata = Object.fromEntries(strings) as Record<string, string>;
          const trace = continueTrace(metadata.traceparent);
          const respond = async (): Promise<void> => {
            const response = await handler(readRequest(method, call.request), { trace, metadata });
            callback(null, method.responseSerialize(response as never));
          };
          const work = respond()
            .catch((thrown) => refuse(thrown, method, trace, callback))
            .finally(() => active.delete(work));
          active.add(work);
        };
      };

      const server = new Server(OPTIONS);
      const health = healthOffers({
        '': async () => draining,
        readiness: async () => draining ?? ready.fresh(),
        liveness: async () => undefined,
      });
      const same = (bytes: Buffer): Buffer => bytes;
      for (const each of [...opened.offers, ...health])
        server.register(each.method.path, answer(each), same, same, 'unary');

      const { HOST, GRPC_PORT, DRAIN_SECONDS } = shell.settings;
      const address = `${HOST.includes(':') ? `[${HOST}]` : HOST}:${GRPC_PORT}`;
      const port = await new Promise<number>((resolve, reject) =>
        server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
          error ? reject(error) : resolve(bound),
        ),
      );
      shell.log.info({ port }, 'serving gRPC');

      return {
        notReady: () => draining ?? ready.now(),
        async drain() {
          draining = 'draining';
          // Calls that will not end are cut off while there is still time to settle what they began.
          const giveUp = setTimeout(() => server.forceShutdown(), DRAIN_SECONDS * 800);
          await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
          clearTimeout(giveUp);
          await Promise.all(active);
          await opened.settle();
        },
      };
    },
  };
}
