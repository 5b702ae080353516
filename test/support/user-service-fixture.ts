/** A running user-service with its typed client, and its raw gRPC client for what the typed one would never send. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { readSettings } from '../../functions/runtime/config.ts';
import type { AnyMethod, RequestOf, ResponseOf } from '../../functions/runtime/grpc.ts';
import { openLog } from '../../functions/runtime/log.ts';
import { openUserClient, type UserClient } from '../../functions/users/client.ts';
import type { Backends } from './backends.ts';
import { type RunningFunction, startFunction } from './functions.ts';
import { until } from './until.ts';

export type UserServiceFixture = {
  readonly process: RunningFunction;
  readonly address: string;
  readonly client: UserClient;
  /** A call as any gRPC client would make it; its failure is the ServiceError of grpc-js. */
  rawCall<Method extends AnyMethod>(method: Method, request: RequestOf<Method>): Promise<ResponseOf<Method>>;
  /** Sends any bytes; resolves to the status code, 0 for an answer. */
  rawStatus(methodPath: string, bytes: Uint8Array): Promise<number>;
  stop(): Promise<void>;
};

/** A client of whatever listens there. */
export function openClient(address: string): { client: UserClient; close(): Promise<void> } {
  const closers: (() => Promise<void> | void)[] = [];
  const client = openUserClient({
    name: 'test',
    settings: readSettings(['USER_SERVICE_ADDRESS'], { USER_SERVICE_ADDRESS: address }),
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

type Options = { readonly env?: Readonly<Record<string, string>>; readonly whenReady?: boolean };

export async function startUserService(backends: Backends, options: Options = {}): Promise<UserServiceFixture> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-key-'));
  const keyFile = path.join(folder, 'signing-key.json');
  await writeFile(keyFile, newSigningKey());
  const process = await startFunction('user-service', backends, {
    ...options,
    env: { GRPC_PORT: '0', SIGNING_KEY_FILE: keyFile, ...options.env },
  });
  const port = await until('user-service to serve gRPC', () =>
    process.lines.map((line) => /"port":(\d+).*"msg":"serving gRPC"/.exec(line)?.[1]).find(Boolean),
  );
  const address = `127.0.0.1:${port}`;
  const { client, close } = openClient(address);
  const raw = new Client(address, credentials.createInsecure());
  const same = (bytes: Buffer): Buffer => bytes;
  const send = (methodPath: string, bytes: Uint8Array): Promise<Buffer> =>
    new Promise((resolve, reject) =>
      raw.makeUnaryRequest(methodPath, same, same, Buffer.from(bytes), new Metadata(), (error, answer) =>
        answer ? resolve(answer) : reject(error),
      ),
    );
  return {
    process,
    address,
    client,
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
      await process.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
