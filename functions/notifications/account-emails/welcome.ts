/** Pure: user.created → the welcome, with the link that confirms the address. */
import type * as z from 'zod/mini';
import type { userEvents } from '../../users/events.ts';
import type { Template } from '../email.ts';

export const welcome: Template<z.infer<(typeof userEvents)['user.created']>> = {
  name: 'welcome',
  userId: ({ userId }) => userId,
  link: { purpose: 'verify-email', page: '/verify-email', requestedAt: ({ createdAt }) => createdAt },
  write: (_, link) => ({
    subject: 'Welcome',
    text: [
      'Your account is ready. Sign in with your e-mail address and your password.',
      '',
      'Please confirm your e-mail address within 24 hours:',
      link,
      '',
      'If you did not sign up, you need not do anything.',
    ].join('\n'),
  }),
};
