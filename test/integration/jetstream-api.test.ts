import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backends, startBackends } from '../support/backends.ts';

let backends: Backends;

beforeAll(async () => {
  backends = await startBackends();
});
afterAll(() => backends?.stop());

test.each([
  [500, { code: 'unavailable', slug: 'nats-unavailable' }],
  [503, { code: 'unavailable', slug: 'nats-unavailable' }],
  [400, { code: 'internal', slug: 'jetstream-10051' }],
])('an answer of JetStream with %i is %o: what the server cannot do now is tried again', async (code, error) => {
  const connection = await connect({ servers: backends.natsUrl });
  const answer = { error: { code, err_code: 10051, description: 'no space left on device' } };
  connection.subscribe('$JS.API.TEST', { callback: (_, message) => message.respond(JSON.stringify(answer)) });
  await connection.flush();
  await expect(backends.bus.api('TEST')).rejects.toMatchObject(error);
  await connection.close();
});
