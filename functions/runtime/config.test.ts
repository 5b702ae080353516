import { expect, test } from 'vitest';
import { ConfigError, readSettings } from './config.ts';

test('settings have their types and defaults', () => {
  expect(readSettings(['NATS_URL'], { NATS_URL: 'nats://a:1', PORT: '0' })).toEqual({
    HOST: '0.0.0.0',
    PORT: 0,
    LOG_LEVEL: 'info',
    DRAIN_SECONDS: 25,
    NATS_URL: 'nats://a:1',
  });
});

test('everything that is wrong is said in one message', () => {
  const read = () =>
    readSettings(['NATS_URL', 'DATABASE_URL', 'SIGNING_KEY_FILE'], {
      PORT: '99999',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://x',
      SIGNING_KEY_FILE: '/no/such',
    });
  expect(read).toThrow(ConfigError);
  for (const problem of [
    'PORT must be',
    'LOG_LEVEL must be one of',
    'NATS_URL is not set',
    'DATABASE_URL must begin with',
    'SIGNING_KEY_FILE names a file',
  ])
    expect(read).toThrow(problem);
});

test('a setting that a function does not need is not looked at', () => {
  expect(() => readSettings([], { NATS_URL: 'nonsense' })).not.toThrow();
});

test('a URL with a password is not repeated in the message', () => {
  expect(() => readSettings(['DATABASE_URL'], { DATABASE_URL: 'mysql://u:secret@h' })).not.toThrow('secret');
});
