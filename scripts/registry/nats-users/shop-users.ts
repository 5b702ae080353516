/** This repository's functions and consumers → the users of NATS that its shop needs. */
import path from 'node:path';
import { readConsumers, readStreams } from '../../platform/manifests/jetstream-yaml.ts';
import { readDefinitions } from '../functions.ts';
import { repository } from '../repository.ts';
import { type NatsUser, usersOf } from './permissions.ts';

export async function shopUsers(): Promise<NatsUser[]> {
  const streams = readStreams(path.join(repository, 'infra/nats/streams.yaml'));
  return usersOf(await readDefinitions(), readConsumers(path.join(repository, 'knative/functions'), streams));
}
