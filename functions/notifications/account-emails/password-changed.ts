/** Pure: user.password_changed → the notice of it, for the case that it was somebody else. */
import type * as z from 'zod/mini';
import type { userEvents } from '../../users/events.ts';
import type { Template } from '../email.ts';

/** Such as `20 November 2026 at 12:00 UTC`. */
const readable = (time: string): string =>
  new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(new Date(time));

export const passwordChanged: Template<z.infer<(typeof userEvents)['user.password_changed']>> = {
  name: 'password-changed',
  userId: ({ userId }) => userId,
  write: ({ changedAt }) => ({
    subject: 'Your password was changed',
    text: [
      `The password of your account was changed on ${readable(changedAt)} UTC. Your other devices are signed out.`,
      '',
      'If it was not you, set a new password at once: choose "forgotten password" where you sign in.',
    ].join('\n'),
  }),
};
