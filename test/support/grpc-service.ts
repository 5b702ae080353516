/** A gRPC service of the test's own in its process, built by service() as a function is, and clients of it. */

import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { UserServiceService as methods, type User } from '../../functions/gen/millrace/users/v1/users.ts';
import { type GrpcClient, openGrpcClient } from '../../functions/runtime/grpc/client.ts';
import { type Call, offer } from '../../functions/runtime/grpc/methods.ts';
import { tlsSettings } from '../../functions/runtime/grpc.ts';
import { service, serviceSettings } from '../../functions/runtime/service.ts';
import { continueTrace } from '../../functions/runtime/trace.ts';
import { keepingLog, type Logged } from './keeping-log.ts';
import { testShell } from './shell.ts';

export const trace = continueTrace(undefined);

export const user = (userId: string): User => ({
  userId,
  email: '',
  role: 0,
  createdAt: undefined,
  name: '',
  emailVerifiedAt: undefined,
  suspendedAt: undefined,
});

/** Answers GetUser, the one method of the service. */
export type Handler = (userId: string, call: Call) => Promise<User> | User;
export const method = methods.getUser;

type ServiceOptions = {
  readonly maxCalls?: number;
  readonly port?: string;
  readonly settings?: Readonly<Record<string, string>>;
};
export type RunningService = {
  readonly address: string;
  readonly lines: Logged[];
  drain(): Promise<void>;
};

export async function startService(handler: Handler, options: ServiceOptions = {}): Promise<RunningService> {
  const definition = service({
    settings: {},
    ...(options.maxCalls === undefined ? {} : { maxCalls: options.maxCalls }),
    async open() {
      const offers = offer({ getUser: method }, { getUser: async ({ userId }, call) => handler(userId, call) });
      return { offers, notReady: async () => undefined, settle: async () => undefined };
    },
  });
  const { shell, close } = testShell(
    { ...serviceSettings },
    {
      GRPC_PORT: options.port ?? '0',
      HOST: '127.0.0.1',
      ...options.settings,
    },
  );
  const { log, lines } = keepingLog();
  const running = await definition.start({ ...shell, log });
  const port = lines.find(({ message }) => message === 'serving gRPC')?.fields.port;
  return {
    address: `127.0.0.1:${port}`,
    lines,
    async drain() {
      await running.drain();
      await close();
    },
  };
}

type ClientOptions = { readonly name?: string; readonly settings?: Readonly<Record<string, string>> };
export type TestClient = GrpcClient & { readonly lines: Logged[]; close(): Promise<void> };

/** A client as a function opens it, in a function named `name`. */
export function openTestClient(address: string, { name = 'test', settings = {} }: ClientOptions = {}): TestClient {
  const { shell, close } = testShell(tlsSettings, settings);
  const { log, lines } = keepingLog();
  const client = openGrpcClient({ ...shell, name, log }, { name: 'users', address });
  return { ...client, lines, close };
}

type RawOptions = { readonly metadata?: Metadata; readonly deadline?: number; readonly signal?: AbortSignal };
export type RawAnswer = { readonly code: number; readonly details: string; readonly metadata: Metadata };

/** Calls as any gRPC client would make them, over a connection of their own; a failure resolves to its status. */
export function openRawClient(address: string) {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  const same = (bytes: Buffer): Buffer => bytes;
  const call = (path: string, bytes: Uint8Array, { metadata, deadline, signal }: RawOptions = {}): Promise<RawAnswer> =>
    new Promise((resolve) => {
      const made = client.makeUnaryRequest(
        path,
        same,
        same,
        Buffer.from(bytes),
        metadata ?? new Metadata(),
        deadline === undefined ? {} : { deadline },
        (error) => resolve(error ?? { code: 0, details: '', metadata: new Metadata() }),
      );
      signal?.addEventListener('abort', () => made.cancel());
    });
  return { call, close: () => client.close() };
}
