/** Unary gRPC calls as promises: deadline, trace, and the service's errors as the AppErrors that it threw. */
import type { Client } from '@grpc/grpc-js';
import { invalid } from './errors.ts';
import type { Shell } from './function.ts';
import { type AnyMethod, fromStatus, MAX_MESSAGE_BYTES, type RequestOf, type ResponseOf } from './grpc.ts';
import type { Trace } from './trace.ts';

export type CallOptions = { readonly trace: Trace; readonly deadlineMs?: number };

export type GrpcClient = {
  /** The response, or throws what the service threw; no answer within `deadlineMs` (2000) is `unavailable`. */
  call<Method extends AnyMethod>(
    method: Method,
    request: RequestOf<Method>,
    options: CallOptions,
  ): Promise<ResponseOf<Method>>;
};

type Target = {
  /** In slugs and messages, such as `users`. */
  readonly name: string;
  /** host:port; all addresses of the host take part. */
  readonly address: string;
};

const DEADLINE_MS = 2_000;
const OPTIONS = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  'grpc.service_config_disable_resolution': 1,
  // With the default of 30 s calls fail for as long when all pods were replaced.
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.enable_http_proxy': 0,
};

/** Connects at the first call; loading grpc-js costs a cold function tens of milliseconds. */
export function openGrpcClient(shell: Pick<Shell, 'onClose'>, { name, address }: Target): GrpcClient {
  let opening: Promise<Client> | undefined;
  const open = async (): Promise<Client> => {
    const { Client, credentials } = await import('@grpc/grpc-js');
    return new Client(`dns:///${address}`, credentials.createInsecure(), OPTIONS);
  };
  shell.onClose(async () => (await opening)?.close());

  return {
    async call<Method extends AnyMethod>(method: Method, request: RequestOf<Method>, options: CallOptions) {
      const bytes = method.requestSerialize(request as never);
      if (bytes.length > MAX_MESSAGE_BYTES)
        throw invalid(
          'message-too-large',
          `A message to '${name}' may have ${MAX_MESSAGE_BYTES} bytes, not ${bytes.length}`,
        );
      const { Metadata } = await import('@grpc/grpc-js');
      opening ??= open();
      const client = await opening;
      const metadata = new Metadata();
      metadata.set('traceparent', options.trace.traceparent);
      const deadline = Date.now() + (options.deadlineMs ?? DEADLINE_MS);
      const same = (raw: Buffer): Buffer => raw;
      const answer = await new Promise<Buffer>((resolve, reject) =>
        client.makeUnaryRequest(method.path, same, same, bytes, metadata, { deadline }, (error, response) =>
          response
            ? resolve(response)
            : reject(error ? fromStatus(name, error) : new Error(`'${name}' answered nothing`)),
        ),
      );
      return method.responseDeserialize(answer) as ResponseOf<Method>;
    },
  };
}
