import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UserServiceService as methods } from '../../functions/gen/millrace/users/v1/users.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { until } from '../support/until.ts';
import { startUserService, type UserServiceFixture } from '../support/user-service-fixture.ts';
import { password } from '../support/users.ts';

const PRELOAD = path.join(repository, 'test/support/kill-at-write.cjs');
/** More writes than a start and one call need: the loop ends when a run survives. */
const MOST_WRITES = 60;

let backends: Backends;
let relay: RunningFunction;

beforeAll(async () => {
  backends = await startBackends();
  relay = await startFunction('outbox-relay', backends);
});

afterAll(async () => {
  await relay?.stop();
  await backends?.stop();
});

const requestOf = (userId: string) => ({ userId, email: `${userId}@example.com`, password });
const create = (service: UserServiceFixture, userId: string) => service.call(methods.createUser, requestOf(userId));
const eventsOf = async (userId: string) =>
  (await backends.messages('USERS')).filter(({ subject }) => subject === `user.${userId}.created`);

/** Runs a service that dies before its n-th write: true when it did, false when it had created the user before. */
async function dies(atWrite: number, userId: string): Promise<boolean> {
  const ports = [backends.natsUrl, backends.databaseUrl].map((url) => new URL(url).port).join(',');
  const env = { KILL_AT_WRITE: String(atWrite), KILL_PORTS: ports };
  const service = await startUserService(backends, { env, require: PRELOAD, whenReady: false }).catch(() => undefined);
  if (!service) return true;
  const created = create(service, userId).catch(() => undefined);
  await Promise.race([created, service.process.exited]);
  if (await created) await until('the event', async () => (await eventsOf(userId)).length > 0).catch(() => undefined);
  const stopped = service.stop().then(
    () => false,
    () => true,
  );
  return stopped;
}

test('user-service killed before any of its writes: who asks again has one account, announced once', async () => {
  const whole = await startUserService(backends);
  const ids: string[] = [];
  for (let atWrite = 1; atWrite <= MOST_WRITES; atWrite += 1) {
    const userId = randomUUID();
    ids.push(userId);
    const died = await dies(atWrite, userId);
    expect(await create(whole, userId)).toMatchObject({ userId, email: requestOf(userId).email });
    if (!died) break;
  }
  await whole.stop();
  await until('an empty outbox', async () => (await backends.database.query('select from outbox')).rows.length === 0);
  for (const userId of ids) expect(await eventsOf(userId)).toHaveLength(1);
  expect(ids.length).toBeGreaterThan(5);
  expect(ids.length).toBeLessThan(MOST_WRITES);
}, 300_000);
