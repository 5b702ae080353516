/** Specs of NACK → JetStream's own JSON, and the server brought to it: created or changed, never deleted; again does no harm. */

import { AppError } from '../../functions/runtime/errors.ts';
import type { Bus } from '../../functions/runtime/jetstream/connection.ts';
import { nanoseconds } from './go-duration.ts';
import type { ConsumerSpec, StreamSpec } from './jetstream-yaml.ts';

export type Api = Bus['api'];
type Json = Readonly<Record<string, unknown>>;

/** Names that are not the plain snake_case of NACK's. */
const NAMES: Readonly<Record<string, string>> = {
  replicas: 'num_replicas',
  discardPerSubject: 'discard_new_per_subject',
  allowRollup: 'allow_rollup_hdrs',
  allowAtomicPublish: 'allow_atomic',
  maxRequestExpires: 'max_expires',
  maxRequestBatch: 'max_batch',
  maxRequestMaxBytes: 'max_bytes',
};
const DURATIONS = new Set(['maxAge', 'duplicateWindow', 'ackWait', 'maxRequestExpires', 'inactiveThreshold']);
/** What NACK itself reads, and the server does not know. */
const NACK_ONLY = new Set(['streamName', 'preventDelete', 'preventUpdate']);

const STREAM_NOT_FOUND = 'jetstream-10059';
const CONSUMER_NOT_FOUND = 'jetstream-10014';

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function toJetstream(spec: Json): Json {
  const fields = Object.entries(spec).filter(([name, value]) => value !== undefined && !NACK_ONLY.has(name));
  return Object.fromEntries(
    fields.map(([name, value]) => [
      NAMES[name] ?? snakeCase(name),
      DURATIONS.has(name) ? nanoseconds(String(value)) : value,
    ]),
  );
}

export const streamConfig = (spec: StreamSpec): Json => toJetstream(spec);

export const consumerConfig = (spec: ConsumerSpec): Json => ({
  ...toJetstream(spec),
  name: spec.durableName,
  deliver_policy: snakeCase(spec.deliverPolicy),
  replay_policy: 'instant',
});

export async function applyJetstream(
  api: Api,
  streams: readonly StreamSpec[],
  consumers: readonly ConsumerSpec[],
): Promise<void> {
  await Promise.all(streams.map((spec) => applyStream(api, spec)));
  await Promise.all(consumers.map((spec) => applyConsumer(api, spec)));
}

async function applyStream(api: Api, spec: StreamSpec): Promise<void> {
  const verb = (await exists(api, spec.name)) ? 'UPDATE' : 'CREATE';
  if (verb === 'UPDATE' && spec.preventUpdate) return;
  await explained(`stream ${spec.name}`, () => api(`STREAM.${verb}.${spec.name}`, streamConfig(spec)));
}

async function applyConsumer(api: Api, spec: ConsumerSpec): Promise<void> {
  const { streamName, durableName } = spec;
  const body = { stream_name: streamName, config: consumerConfig(spec) };
  await explained(`consumer ${durableName} of ${streamName}`, () =>
    api(`CONSUMER.CREATE.${streamName}.${durableName}`, body),
  );
}

type ConsumerInfo = { readonly config: { readonly deliver_policy: string } };
const POLICIES = ['all', 'last', 'new', 'lastPerSubject'] as const;

async function begunBy(api: Api, { streamName, durableName }: ConsumerSpec): Promise<string | undefined> {
  try {
    return (await api<ConsumerInfo>(`CONSUMER.INFO.${streamName}.${durableName}`)).config.deliver_policy;
  } catch (error) {
    if (error instanceof AppError && [CONSUMER_NOT_FOUND, STREAM_NOT_FOUND].includes(error.slug)) return undefined;
    throw error;
  }
}

/** The consumers, each to begin where it has begun if it is there already: that is settled when it is made. */
export const asBegun = (api: Api, consumers: readonly ConsumerSpec[]): Promise<ConsumerSpec[]> =>
  Promise.all(
    consumers.map(async (spec) => {
      const begun = await begunBy(api, spec);
      return { ...spec, deliverPolicy: POLICIES.find((policy) => snakeCase(policy) === begun) ?? spec.deliverPolicy };
    }),
  );

async function exists(api: Api, stream: string): Promise<boolean> {
  try {
    await api(`STREAM.INFO.${stream}`);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.slug === STREAM_NOT_FOUND) return false;
    throw error;
  }
}

async function explained(what: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${what} cannot be made as its YAML says: ${why}. Some fields of what exists cannot be changed: ` +
        'take the change back, or begin empty with --fresh.',
      { cause: error },
    );
  }
}
