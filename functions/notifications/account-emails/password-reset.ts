/** Pure: user.password_reset_requested → the e-mail with the link to set a new password. */
import type * as z from 'zod/mini';
import type { userEvents } from '../../users/events.ts';
import type { Template } from '../email.ts';

export const passwordReset: Template<z.infer<(typeof userEvents)['user.password_reset_requested']>> = {
  name: 'password-reset',
  userId: ({ userId }) => userId,
  link: { purpose: 'reset-password', page: '/reset-password', requestedAt: ({ requestedAt }) => requestedAt },
  write: (_, link) => ({
    subject: 'Set a new password',
    text: [
      'Somebody, hopefully you, asked to set a new password for your account. Within 30 minutes, do so here:',
      link,
      '',
      'If it was not you, you need not do anything: your password stays as it is. Give this link to nobody.',
    ].join('\n'),
  }),
};
