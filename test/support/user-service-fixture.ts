/** A running user-service with its typed client, and its raw gRPC client for what the typed one would never send. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { AnyMethod, RequestOf, ResponseOf } from '../../functions/runtime/grpc/methods.ts';
import { fromStatus } from '../../functions/runtime/grpc/status.ts';
import { openLog } from '../../functions/runtime/log.ts';
import { readSettings } from '../../functions/runtime/process/settings.ts';
import { openUserClient, type UserClient, userServiceSettings } from '../../functions/users/client.ts';
import type { Backends } from './backends.ts';
import { type RunningFunction, startFunction } from './functions.ts';
import { until } from './until.ts';

type Fields = Readonly<Record<string, string>>;

/** Who calls: a user by an access token, from an IP address. */
export type From = { readonly token?: string; readonly address?: string; readonly metadata?: Fields };

export type UserServiceFixture = {
  readonly process: RunningFunction;
  readonly address: string;
  readonly client: UserClient;
  /** A call of any method, with the fields that matter; its failure is the AppError that the service threw. */
  call<Method extends AnyMethod>(
    method: Method,
    request: Partial<RequestOf<Method>>,
    from?: From,
  ): Promise<ResponseOf<Method>>;
  /** A call as any gRPC client would make it; its failure is the ServiceError of grpc-js. */
  rawCall<Method extends AnyMethod>(method: Method, request: RequestOf<Method>): Promise<ResponseOf<Method>>;
  /** Sends any bytes; resolves to the status code, 0 for an answer. */
  rawStatus(methodPath: string, bytes: Uint8Array): Promise<number>;
  stop(): Promise<void>;
};

const DEADLINE_MS = 20_000;
/** The function that the clients say they are: it may make whatever call is for functions. */
const CALLER = 'account-emails';

/** A client of whatever listens there. */
export function openClient(address: string): { client: UserClient; close(): Promise<void> } {
  const closers: (() => Promise<void> | void)[] = [];
  const client = openUserClient({
    name: CALLER,
    settings: readSettings(userServiceSettings, { USER_SERVICE_ADDRESS: address }),
    log: openLog('test', 'silent'),
    onClose: (close) => closers.push(close),
  });
  return {
    client,
    async close() {
      for (const close of closers) await close();
    },
  };
}

export const newSigningKey = (): string =>
  JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));

type Options = {
  readonly env?: Readonly<Record<string, string>>;
  readonly require?: string;
  readonly whenReady?: boolean;
};

export async function startUserService(backends: Backends, options: Options = {}): Promise<UserServiceFixture> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-key-'));
  const keyFile = path.join(folder, 'signing-key.json');
  await writeFile(keyFile, newSigningKey());
  const process = await startFunction('user-service', backends, {
    ...options,
    env: { GRPC_PORT: '0', SIGNING_KEY_FILE: keyFile, ...options.env },
  });
  let ended = false;
  void process.exited.then(() => {
    ended = true;
  });
  const serving = () => process.lines.map((line) => /"port":(\d+).*"msg":"serving gRPC"/.exec(line)?.[1]).find(Boolean);
  await until('user-service to serve gRPC', () => ended || serving());
  const port = serving();
  if (!port) throw new Error(`user-service ended:\n${process.lines.join('\n')}`);
  const address = `127.0.0.1:${port}`;
  const { client, close } = openClient(address);
  const raw = new Client(address, credentials.createInsecure());
  const same = (bytes: Buffer): Buffer => bytes;
  const send = (methodPath: string, bytes: Uint8Array, fields: Fields = {}): Promise<Buffer> => {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
    const options = { deadline: Date.now() + DEADLINE_MS };
    return new Promise((resolve, reject) =>
      raw.makeUnaryRequest(methodPath, same, same, Buffer.from(bytes), metadata, options, (error, answer) =>
        answer ? resolve(answer) : reject(error),
      ),
    );
  };
  return {
    process,
    address,
    client,
    async call<Method extends AnyMethod>(
      method: Method,
      request: Partial<RequestOf<Method>>,
      { token, address, metadata }: From = {},
    ) {
      const whole = { ...(method.requestDeserialize(Buffer.alloc(0)) as object), ...request };
      const fields = {
        'millrace-function': CALLER,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(address === undefined ? {} : { 'millrace-client-address': address }),
        ...metadata,
      };
      const answer = await send(method.path, method.requestSerialize(whole as never), fields).catch((error) => {
        throw fromStatus('users', error);
      });
      return method.responseDeserialize(answer) as ResponseOf<Method>;
    },
    async rawCall<Method extends AnyMethod>(method: Method, request: RequestOf<Method>) {
      const answer = await send(method.path, method.requestSerialize(request as never));
      return method.responseDeserialize(answer) as ResponseOf<Method>;
    },
    rawStatus: (methodPath, bytes) =>
      send(methodPath, bytes).then(
        () => 0,
        (error: ServiceError) => error.code,
      ),
    async stop() {
      await close();
      raw.close();
      await process.stop().finally(() => rm(folder, { recursive: true, force: true }));
    },
  };
}
