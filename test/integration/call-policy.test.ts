import { expect, test } from 'vitest';
import { openCallPolicy } from '../../functions/runtime/call-policy.ts';
import { AppError, invalid, unavailable } from '../../functions/runtime/errors.ts';
import { keepingLog } from '../support/keeping-log.ts';
import { until } from '../support/until.ts';

const down = () => unavailable('thing-unavailable', 'It does not answer');

function guarded(options: Partial<Parameters<typeof openCallPolicy>[1]> = {}) {
  const { log, lines } = keepingLog();
  const guard = openCallPolicy({ log }, { name: 'thing', ...options });
  let calls = 0;
  const failing = (error: () => Error, bounds = {}) =>
    guard
      .run(async () => {
        calls += 1;
        throw error();
      }, bounds)
      .catch((thrown) => thrown);
  return { ...guard, failing, lines, calls: () => calls };
}

test('what is only unavailable is tried again, twice', async () => {
  const { run } = guarded();
  let calls = 0;
  const work = async () => {
    calls += 1;
    if (calls < 3) throw down();
    return 'done';
  };
  expect(await run(work)).toBe('done');
  const other = guarded();
  expect(await other.failing(down)).toMatchObject({ slug: 'thing-unavailable' });
  expect(other.calls()).toBe(3);
});

test.each([
  ['a business error', () => invalid('wrong', 'It is wrong')],
  ['a mistake of ours', () => new TypeError('x is not a function')],
])('%s is thrown on at once', async (_what, error) => {
  const { failing, calls } = guarded();
  expect(await failing(error)).toEqual(error());
  expect(calls()).toBe(1);
});

test('without retries it is called once', async () => {
  const { failing, calls } = guarded();
  await failing(down, { retries: 0 });
  expect(calls()).toBe(1);
});

test('it is not tried again before the time that the called one asks for, nor when that would be too late', async () => {
  const { failing, calls } = guarded();
  const busy = () => new AppError('unavailable', 'busy', 'Later', { retryAfterMs: 60_000 });
  expect(await failing(busy)).toMatchObject({ slug: 'busy' });
  expect(calls()).toBe(1);
});

test('five failures in a row hold calls back, and say for how long', async () => {
  const { failing, calls, lines } = guarded({ retries: 0 });
  for (let failures = 0; failures < 5; failures += 1) await failing(down);
  const error = await failing(down);
  expect(error).toMatchObject({ code: 'unavailable', slug: 'thing-unavailable' });
  expect(error.retryAfterMs).toBeGreaterThan(1_000);
  expect(error.retryAfterMs).toBeLessThanOrEqual(2_000);
  expect(calls()).toBe(5);
  expect(lines).toMatchObject([{ level: 'error', fields: { target: 'thing' } }]);
});

test('an answer in between begins the count anew, be it a refusal', async () => {
  const { failing, calls } = guarded({ retries: 0 });
  for (let failures = 0; failures < 4; failures += 1) await failing(down);
  await failing(() => invalid('wrong', 'It is wrong'));
  for (let failures = 0; failures < 4; failures += 1) await failing(down);
  expect(calls()).toBe(9);
});

test('business errors never hold calls back', async () => {
  const { failing, calls } = guarded({ retries: 0 });
  for (let failures = 0; failures < 20; failures += 1) await failing(() => invalid('wrong', 'It is wrong'));
  expect(calls()).toBe(20);
});

test('after a while one call is let through: it decides whether the others follow', async () => {
  const { failing, run, calls, lines } = guarded({ retries: 0, halfOpenAfterMs: 30 });
  for (let failures = 0; failures < 5; failures += 1) await failing(down);
  const letThrough = async () => {
    await failing(down);
    return calls() === 6;
  };
  await until('a call to be let through', letThrough, 1_500);
  expect(lines.at(-1)).toMatchObject({ level: 'error', message: 'calls fail: the breaker is open' });
  const work = async () => 'done';
  expect(await until('a call to work again', () => run(work))).toBe('done');
  expect(await run(work)).toBe('done');
  expect(lines.map(({ message }) => message).slice(-2)).toEqual(['one call is let through', 'calls work again']);
});

test('work that does not end is given up in time, told of it, and counts as a failure', async () => {
  const { run, failing } = guarded({ retries: 0, timeoutMs: 20 });
  const told: unknown[] = [];
  const hang = () =>
    run(({ signal }) => {
      signal.addEventListener('abort', () => told.push(signal.reason));
      return new Promise<never>(() => undefined);
    });
  const slug = 'thing-unavailable';
  for (let failures = 0; failures < 5; failures += 1)
    await expect(hang()).rejects.toMatchObject({ code: 'unavailable', slug });
  expect(told).toHaveLength(5);
  expect((await failing(() => invalid('wrong', 'It is wrong'))).slug).toBe(slug);
});

test('too many calls wait for their turn, and more than that are turned away', async () => {
  const { run, failing } = guarded({ inFlight: 2, queue: 1 });
  const end = Promise.withResolvers<string>();
  let inWork = 0;
  const work = async () => {
    inWork += 1;
    return end.promise;
  };
  const runs = [run(work), run(work), run(work)];
  await until('two calls in work', () => inWork === 2);
  expect(await failing(down)).toMatchObject({
    code: 'unavailable',
    slug: 'thing-overloaded',
    retryAfterMs: 1_000,
  });
  expect(inWork).toBe(2);
  end.resolve('done');
  expect(await Promise.all(runs)).toEqual(['done', 'done', 'done']);
});

test('a call that waited for its turn too long is given up and never made', async () => {
  const { run, failing, calls } = guarded({ inFlight: 1, retries: 0 });
  const end = Promise.withResolvers<string>();
  const first = run(() => end.promise);
  expect(await failing(down, { timeoutMs: 20 })).toMatchObject({ slug: 'thing-unavailable' });
  end.resolve('done');
  await first;
  await run(async () => 'done');
  expect(calls()).toBe(0);
});
