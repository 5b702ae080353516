/** NACK Stream and Consumer YAML → their specs, checked; a default of NACK that loses data is never relied on. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod/mini';
import { repository, shown } from '../registry/repository.ts';
import { isGoDuration } from './go-duration.ts';
import { metadata, positive, readResources, sameName, text } from './yaml-file.ts';

const duration = z.string().check(z.refine(isGoDuration, 'must be a duration, such as 30s or 720h'));
const limit = z.int('must be a whole number').check(z.gte(-1));
const flag = z.optional(z.boolean());
const tags = z.optional(z.record(z.string(), z.string()));
const word = z.string().check(z.regex(/^[^\s.*>]+$/, 'must have no space, dot, * or >'));

const oneOf = <const Values extends readonly string[]>(values: Values) =>
  z.enum(values, `must be one of ${values.join(', ')}`);

const streamSpec = z.strictObject({
  name: word,
  description: z.optional(text),
  subjects: z.array(text).check(z.minLength(1)),
  retention: oneOf(['limits', 'interest', 'workqueue']),
  storage: oneOf(['file', 'memory']),
  replicas: positive,
  discard: oneOf(['old', 'new']),
  maxAge: duration,
  duplicateWindow: duration,
  maxBytes: z.optional(limit),
  maxMsgs: z.optional(limit),
  maxMsgsPerSubject: z.optional(limit),
  maxMsgSize: z.optional(limit),
  maxConsumers: z.optional(limit),
  discardPerSubject: flag,
  allowDirect: flag,
  allowRollup: flag,
  allowMsgTtl: flag,
  allowMsgSchedules: flag,
  allowMsgCounter: flag,
  allowAtomicPublish: flag,
  denyDelete: flag,
  denyPurge: flag,
  noAck: flag,
  compression: z.optional(oneOf(['none', 's2'])),
  metadata: tags,
  preventDelete: flag,
  preventUpdate: flag,
});
const consumerSpec = z.strictObject({
  streamName: word,
  durableName: word,
  description: z.optional(text),
  deliverPolicy: oneOf(['all', 'last', 'new', 'lastPerSubject']),
  ackPolicy: z.literal('explicit', 'must be explicit: with any other, a message is lost when its function dies'),
  ackWait: duration,
  maxDeliver: limit,
  filterSubjects: z.array(text).check(z.minLength(1)),
  maxAckPending: positive,
  maxRequestExpires: z.optional(duration),
  maxRequestBatch: z.optional(positive),
  maxRequestMaxBytes: z.optional(positive),
  maxWaiting: z.optional(positive),
  inactiveThreshold: z.optional(duration),
  headersOnly: flag,
  memStorage: flag,
  sampleFreq: z.optional(text),
  replicas: positive,
  metadata: tags,
  preventDelete: flag,
  preventUpdate: flag,
});

const resource = <Kind extends string, Spec extends z.ZodMiniType>(kind: Kind, spec: Spec) =>
  z.strictObject({
    apiVersion: z.literal('jetstream.nats.io/v1beta2'),
    kind: z.literal(kind, `must be ${kind}`),
    metadata,
    spec,
  });
const streamResource = resource('Stream', streamSpec);
const consumerResource = resource('Consumer', consumerSpec);

export type StreamSpec = z.infer<typeof streamSpec>;
export type ConsumerSpec = z.infer<typeof consumerSpec>;

const NATS = path.join(repository, 'infra/nats');
export const FUNCTIONS = path.join(repository, 'knative/functions');

export const readStreams = (file: string): StreamSpec[] => readResources(file, streamResource).map(({ spec }) => spec);

/** Those of the framework, and one of each context that publishes events, as `npm run generate` has written it. */
export const readShopStreams = (): StreamSpec[] =>
  ['streams.yaml', 'events.yaml'].flatMap((file) => readStreams(path.join(NATS, file)));

/** Of all functions. */
export const readShopConsumers = (): ConsumerSpec[] => readConsumers(FUNCTIONS, readShopStreams());

/** The Consumers of `<folder>/<function>/consumer.yaml`, each of a stream of `streams`. */
export function readConsumers(folder: string, streams: readonly StreamSpec[]): ConsumerSpec[] {
  const files = readdirSync(folder).map((name) => path.join(folder, name, 'consumer.yaml'));
  return files.filter((file) => existsSync(file)).flatMap((file) => readConsumerFile(file, streams));
}

function readConsumerFile(file: string, streams: readonly StreamSpec[]): ConsumerSpec[] {
  return readResources(file, consumerResource).map(({ metadata, spec }) => {
    sameName(file, metadata.name, { 'spec.durableName': spec.durableName });
    if (streams.some(({ name }) => name === spec.streamName)) return spec;
    const known = streams.map(({ name }) => name).join(', ');
    throw new Error(
      `${shown(file)}: spec.streamName: no stream '${spec.streamName}'; write one of ${known}, or add it`,
    );
  });
}
