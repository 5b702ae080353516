/** Pure: user.created → the welcome. */
import type * as z from 'zod/mini';
import type { userEvents } from '../../users/events.ts';
import type { Template } from '../email.ts';

export const welcome: Template<z.infer<(typeof userEvents)['user.created']>> = {
  name: 'welcome',
  userId: ({ userId }) => userId,
  write: () => ({
    subject: 'Welcome',
    text: 'Your account is ready. Sign in with your e-mail address and your password.',
  }),
};
