/** NACK's YAML as JetStream's JSON, and the server brought to it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../functions/runtime/errors.ts';
import { repository } from '../registry/repository.ts';
import { nanoseconds } from './go-duration.ts';
import { type ConsumerSpec, readConsumers, readStreams } from './jetstream-yaml.ts';
import { applyJetstream, consumerConfig, streamConfig } from './nack.ts';
import { sampleStream, sampleStreams, writeSample } from './sample.fixture.ts';

const streamsFile = path.join(repository, 'infra/nats/streams.yaml');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-nack-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function changedStreams(text: string | RegExp, replacement: string): string {
  const file = path.join(folder, 'streams.yaml');
  writeFileSync(file, readFileSync(streamsFile, 'utf8').replace(text, replacement));
  return file;
}

function changedConsumer(text: string | RegExp, replacement: string): () => ConsumerSpec[] {
  writeSample(folder, 'parcel-view', (before) => before.replace(text, replacement));
  return () => readConsumers(folder, sampleStreams);
}

const consumer: ConsumerSpec = {
  streamName: 'PARCELS',
  durableName: 'parcel-view',
  deliverPolicy: 'lastPerSubject',
  ackPolicy: 'explicit',
  ackWait: '30s',
  maxDeliver: -1,
  filterSubjects: ['parcel.*.created'],
  maxAckPending: 64,
  maxRequestExpires: '1m30s',
  replicas: 1,
};

describe('A Go duration', () => {
  it.each([
    ['0s', 0],
    ['500ms', 5e8],
    ['1h30m', 5400e9],
    ['1.5s', 15e8],
    ['720h', 2592e12],
  ])('%s is %d ns', (text, expected) => expect(nanoseconds(text)).toBe(expected));
  it.each(['30', '', '5 s', 's', '-1s', '1d'])("'%s' is refused", (text) => {
    expect(() => nanoseconds(text)).toThrow('is not a duration; write it as 30s, 5m or 1h30m');
  });
});

describe('A Stream of NACK', () => {
  it("becomes JetStream's configuration", () => {
    expect(streamConfig(sampleStream)).toEqual({
      name: 'PARCELS',
      subjects: ['parcel.>'],
      retention: 'limits',
      storage: 'file',
      num_replicas: 1,
      discard: 'new',
      max_age: 0,
      duplicate_window: 300e9,
      allow_rollup_hdrs: true,
      allow_atomic: true,
    });
  });
  it.each(['storage', 'maxAge', 'retention', 'discard'])(
    'without %s is refused, for the default loses data',
    (field) => {
      const file = changedStreams(new RegExp(`  ${field}: .*\n`), '');
      expect(() => readStreams(file)).toThrow(
        new RegExp(`streams.yaml is not valid: spec.${field}: (is missing|must be one of)`),
      );
    },
  );
  it('with a field that NACK does not know is refused', () => {
    const file = changedStreams('maxAge: 0s', 'maxAge: 0s\n  max_age: 0s');
    expect(() => readStreams(file)).toThrow('spec.max_age: is not a known field; leave it out');
  });
  it('with a number for a duration is refused', () => {
    expect(() => readStreams(changedStreams('maxAge: 0s', 'maxAge: 0'))).toThrow(/spec.maxAge: /);
  });
});

describe('A Consumer of NACK', () => {
  it("becomes JetStream's configuration", () => {
    expect(consumerConfig(consumer)).toEqual({
      name: 'parcel-view',
      durable_name: 'parcel-view',
      deliver_policy: 'last_per_subject',
      ack_policy: 'explicit',
      ack_wait: 30e9,
      max_deliver: -1,
      filter_subjects: ['parcel.*.created'],
      max_ack_pending: 64,
      max_expires: 90e9,
      num_replicas: 1,
      replay_policy: 'instant',
    });
  });
  it.each(['ackWait', 'maxDeliver', 'deliverPolicy'])('without %s is refused', (field) => {
    expect(changedConsumer(new RegExp(`  ${field}: .*\n`), '')).toThrow(
      new RegExp(`spec.${field}: (is missing|must be one of all, last, new)`),
    );
  });
  it('that does not acknowledge is refused, saying why', () => {
    expect(changedConsumer('ackPolicy: explicit', 'ackPolicy: none')).toThrow(
      'spec.ackPolicy: must be explicit: with any other, a message is lost when its function dies',
    );
  });
  it('of a stream that does not exist is refused', () => {
    expect(changedConsumer('streamName: PARCELS', 'streamName: PARCEL')).toThrow(
      /no stream 'PARCEL'; write one of COMMANDS/,
    );
  });
});

describe('Bringing the server to it', () => {
  const notFound = new AppError('internal', 'jetstream-10059', 'stream not found');

  /** Records what is asked; `fail` gives the error of a request. */
  async function apply(fail: (path: string) => Error | undefined): Promise<string[]> {
    const asked: string[] = [];
    const api = async <T>(path: string): Promise<T> => {
      asked.push(path);
      const error = fail(path);
      if (error) throw error;
      return {} as T;
    };
    await applyJetstream(api, [sampleStream], [consumer]);
    return asked;
  }

  it('creates what is not there, the stream before its consumer', async () => {
    expect(await apply((path) => (path.startsWith('STREAM.INFO') ? notFound : undefined))).toEqual([
      'STREAM.INFO.PARCELS',
      'STREAM.CREATE.PARCELS',
      'CONSUMER.CREATE.PARCELS.parcel-view',
    ]);
  });
  it('changes what is there', async () => {
    expect(await apply(() => undefined)).toEqual([
      'STREAM.INFO.PARCELS',
      'STREAM.UPDATE.PARCELS',
      'CONSUMER.CREATE.PARCELS.parcel-view',
    ]);
  });
  it('says which one the server refuses, why, and what to do', async () => {
    const refusal = new AppError('internal', 'jetstream-10012', 'deliver policy can not be updated');
    const applied = apply((path) => (path.startsWith('CONSUMER') ? refusal : undefined));
    await expect(applied).rejects.toThrow(
      /^consumer parcel-view of PARCELS cannot be made as its YAML says: deliver policy can not be updated.*--fresh/,
    );
  });
  it('passes on that the server does not answer', async () => {
    const silence = new AppError('unavailable', 'nats-unavailable', 'no answer');
    await expect(apply((path) => (path.startsWith('STREAM.INFO') ? silence : undefined))).rejects.toThrow('no answer');
  });
});
