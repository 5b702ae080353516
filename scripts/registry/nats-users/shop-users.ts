/** This repository's functions → the users of NATS that its shop needs. */
import { RETRIES, retriesOf } from '../../../functions/runtime/handling/retries.ts';
import { type DefinedFunction, readDefinitions } from '../functions.ts';
import { type NatsUser, type PulledConsumer, usersOf } from './permissions.ts';

/** One of news, and one of retries. */
const consumersOf = ({ name, stream }: DefinedFunction): PulledConsumer[] =>
  stream
    ? [
        { streamName: stream, durableName: name },
        { streamName: RETRIES, durableName: retriesOf(name) },
      ]
    : [];

export async function shopUsers(): Promise<NatsUser[]> {
  const functions = await readDefinitions();
  return usersOf(functions, functions.flatMap(consumersOf));
}
