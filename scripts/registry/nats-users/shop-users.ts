/** This repository's functions and consumers → the users of NATS that its shop needs. */
import path from 'node:path';
import type { Definition } from '../../../functions/runtime/function.ts';
import { readConsumers, readStreams } from '../../platform/manifests/jetstream-yaml.ts';
import { listFunctions } from '../functions.ts';
import { repository } from '../repository.ts';
import { type NatsUser, usersOf } from './permissions.ts';

export async function shopUsers(): Promise<NatsUser[]> {
  const functions = await Promise.all(
    (await listFunctions()).map(async ({ name, source }) => {
      const { default: definition } = (await import(source)) as { default: Definition };
      return { ...definition, name };
    }),
  );
  const streams = readStreams(path.join(repository, 'infra/nats/streams.yaml'));
  return usersOf(functions, readConsumers(path.join(repository, 'knative/functions'), streams));
}
