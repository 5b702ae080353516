/** Unary gRPC calls as promises: guarded, in the caller's trace, and failing with the AppErrors that the service threw. */
import { isIP } from 'node:net';
import type { Client, Metadata } from '@grpc/grpc-js';
import { openCallPolicy } from '../call-policy.ts';
import { AppError, invalid, toAppError } from '../errors.ts';
import type { Shell } from '../function.ts';
import { count } from '../metrics.ts';
import { inSpan, type Span, type Trace } from '../trace.ts';
import { type AnyMethod, MAX_MESSAGE_BYTES, type RequestOf, type ResponseOf } from './methods.ts';
import { fromStatus } from './status.ts';
import { openClientCredentials, type TlsSettings } from './tls.ts';

export type CallOptions = {
  readonly trace: Trace;
  /** Of the call in all, retries included (2000). */
  readonly deadlineMs?: number;
  /** false: the call is made once, for what must not happen twice. */
  readonly idempotent?: boolean;
  /** On whose behalf: sent as `authorization: Bearer`. */
  readonly accessToken?: string | undefined;
  /** IP address of the client at the edge. */
  readonly clientAddress?: string | undefined;
};

export type GrpcClient = {
  /**
   * The response, or throws what the service threw. `<name>-unavailable` when there is no answer in time, or while the breaker
   * is open; `<name>-overloaded` when too many are in work.
   */
  call<Method extends AnyMethod>(
    method: Method,
    request: RequestOf<Method>,
    options: CallOptions,
  ): Promise<ResponseOf<Method>>;
};

type Target = {
  /** In slugs and messages, such as `depot`. */
  readonly name: string;
  /** host:port; all addresses of the host take part. */
  readonly address: string;
};

const DEADLINE_MS = 2_000;
const RETRIES = 2;
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
  'grpc.enable_channelz': 0,
};

/** What was answered as rpc.grpc.status_code: of an error as it came, or UNAVAILABLE when none did. */
function statusOf(error: unknown): number {
  const { cause } = toAppError(error) as { cause?: { code?: unknown } };
  return typeof cause?.code === 'number' ? cause.code : 14;
}

const same = (bytes: Buffer): Buffer => bytes;

type Connection = {
  readonly client: Client;
  metadataOf(options: CallOptions): Metadata;
};

/** Connects at the first call; loading grpc-js costs a cold function tens of milliseconds. */
export function openGrpcClient(
  shell: Pick<Shell<TlsSettings>, 'name' | 'settings' | 'log' | 'onClose'>,
  { name, address }: Target,
): GrpcClient {
  const policy = openCallPolicy(shell, { name });
  let opening: Promise<Connection> | undefined;
  const open = async (): Promise<Connection> => {
    const grpc = await import('@grpc/grpc-js');
    const credentials = await openClientCredentials(grpc, shell);
    return {
      client: new grpc.Client(`dns:///${address}`, credentials, OPTIONS),
      metadataOf({ trace, accessToken, clientAddress }) {
        const metadata = new grpc.Metadata();
        metadata.set('traceparent', trace.traceparent);
        metadata.set('millrace-function', shell.name);
        if (accessToken) metadata.set('authorization', `Bearer ${accessToken}`);
        if (clientAddress && isIP(clientAddress)) metadata.set('millrace-client-address', clientAddress);
        return metadata;
      },
    };
  };
  const openOnce = (): Promise<Connection> => {
    opening ??= open().catch((error) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  shell.onClose(() =>
    opening?.then(
      ({ client }) => client.close(),
      () => undefined,
    ),
  );

  const send = async (path: string, bytes: Buffer, options: CallOptions, deadline: number): Promise<Buffer> => {
    const { client, metadataOf } = await openOnce();
    const metadata = metadataOf(options);
    return new Promise((resolve, reject) =>
      client.makeUnaryRequest(path, same, same, bytes, metadata, { deadline }, (error, response) =>
        response
          ? resolve(response)
          : reject(error ? fromStatus(name, error) : new Error(`'${name}' answered nothing`)),
      ),
    );
  };

  return {
    async call<Method extends AnyMethod>(method: Method, request: RequestOf<Method>, options: CallOptions) {
      const bytes = method.requestSerialize(request as never);
      if (bytes.length > MAX_MESSAGE_BYTES)
        throw invalid(
          'message-too-large',
          `A message to '${name}' may have ${MAX_MESSAGE_BYTES} bytes, not ${bytes.length}`,
        );
      if (options.accessToken && !/^[!-~]+$/.test(options.accessToken))
        throw new AppError('unauthenticated', 'invalid-token', 'The access token is not one; sign in again');
      const { deadlineMs: timeoutMs = DEADLINE_MS, idempotent = true } = options;
      const note = (code: string): void => count('millrace.rpc.calls', { target: name, method: method.path, code });
      const attempt = async (span: Span): Promise<Buffer> => {
        const own = { ...options, trace: span.trace };
        try {
          const answer = await policy.run(({ deadline }) => send(method.path, bytes, own, deadline), {
            timeoutMs,
            retries: idempotent ? RETRIES : 0,
          });
          span.add({ 'rpc.grpc.status_code': 0 });
          return answer;
        } catch (error) {
          span.add({ 'rpc.grpc.status_code': statusOf(error) });
          throw error;
        }
      };
      const [service = '', rpc = ''] = method.path.slice(1).split('/');
      const attributes = { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': rpc };
      const span = { kind: 'client', parent: options.trace.traceparent, attributes } as const;
      try {
        const answer = await inSpan(method.path.slice(1), span, attempt);
        const response = method.responseDeserialize(answer) as ResponseOf<Method>;
        note('ok');
        return response;
      } catch (error) {
        note(toAppError(error).code);
        throw error;
      }
    },
  };
}
