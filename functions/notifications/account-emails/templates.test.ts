import { expect, test } from 'vitest';
import { passwordChanged } from './password-changed.ts';
import { passwordReset } from './password-reset.ts';
import { welcome } from './welcome.ts';

const userId = '01980000-0000-7000-8000-000000000001';
const link = 'https://shop.example/verify-email#secret';

test('the welcome has the link on a line of its own, asked for when the account was made', () => {
  const event = { userId, createdAt: '2026-11-20T12:00:00.000Z' };
  expect(welcome.write(event, link).text.split('\n')).toContain(link);
  expect(welcome.link?.purpose).toBe('verify-email');
  expect(welcome.link?.requestedAt(event)).toBe(event.createdAt);
});

test('the reset has the link on a line of its own, asked for when the user did', () => {
  const event = { userId, requestedAt: '2026-11-20T12:00:00.000Z' };
  expect(passwordReset.write(event, link).text.split('\n')).toContain(link);
  expect(passwordReset.link?.purpose).toBe('reset-password');
  expect(passwordReset.link?.requestedAt(event)).toBe(event.requestedAt);
});

test('the notice of a change says when it was, and has no link', () => {
  const { text } = passwordChanged.write({ userId, changedAt: '2026-11-20T12:34:56.000Z' }, '');
  expect(text).toContain('20 November 2026 at 12:34 UTC');
  expect(passwordChanged.link).toBeUndefined();
});

test('no subject of an e-mail has a secret in it', () => {
  const at = '2026-11-20T12:00:00.000Z';
  const mails = [
    welcome.write({ userId, createdAt: at }, link),
    passwordReset.write({ userId, requestedAt: at }, link),
    passwordChanged.write({ userId, changedAt: at }, ''),
  ];
  for (const { subject } of mails) expect(subject).not.toMatch(/secret|http/);
});
