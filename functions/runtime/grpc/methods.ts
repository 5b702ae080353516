/** gRPC in Millrace's words: methods as they are generated, the handlers that answer them, and what these know of a call. */
import type { Trace } from '../trace.ts';

export const MAX_MESSAGE_BYTES = 64 * 1024;

/** A method as ts-proto generates it, its request and response types forgotten. */
export type AnyMethod = {
  readonly path: string;
  requestSerialize(request: never): Buffer;
  requestDeserialize(bytes: Buffer): unknown;
  responseSerialize(response: never): Buffer;
  responseDeserialize(bytes: Buffer): unknown;
};
export type RequestOf<Method extends AnyMethod> = ReturnType<Method['requestDeserialize']>;
export type ResponseOf<Method extends AnyMethod> = ReturnType<Method['responseDeserialize']>;

/** What a handler knows of a call besides its request. */
export type Call = {
  readonly trace: Trace;
  readonly metadata: Readonly<Record<string, string>>;
  readonly deadline: Date;
  /** Aborted when the caller has gone or the deadline has passed: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
};

type Handler = (request: never, call: Call) => Promise<unknown>;
type Handlers<Methods extends Record<string, AnyMethod>> = {
  readonly [Name in keyof Methods]: (
    request: RequestOf<Methods[Name]>,
    call: Call,
  ) => Promise<ResponseOf<Methods[Name]>>;
};
export type Offer = {
  readonly method: AnyMethod;
  readonly handler: Handler;
  /** For the kubelet and tools: it needs no deadline, and is answered however much there is to do. */
  readonly probe?: boolean;
};

/** Methods of a generated service definition with their handlers, checked against each other. */
export const offer = <Methods extends Record<string, AnyMethod>>(
  methods: Methods,
  handlers: Handlers<Methods>,
): Offer[] => Object.entries(methods).map(([name, method]) => ({ method, handler: handlers[name] as Handler }));
