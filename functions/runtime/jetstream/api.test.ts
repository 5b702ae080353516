import { expect, test } from 'vitest';
import { apiError } from './api.ts';

test.each([
  [500, 'unavailable', 'nats-unavailable'],
  [503, 'unavailable', 'nats-unavailable'],
  [400, 'internal', 'jetstream-10051'],
])('JetStream answering %i is %s: what the server cannot do now is tried again', (code, ours, slug) => {
  const answer = { code, err_code: 10051, description: 'no space left on device' };
  expect(apiError('STREAM.PURGE.COMMANDS', answer)).toMatchObject({ code: ours, slug });
});
