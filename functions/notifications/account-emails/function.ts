/** User events → e-mails about the account, each once. */
import { USERS, userEvents } from '../../users/events.ts';
import { emails } from '../email.ts';
import { passwordChanged } from './password-changed.ts';
import { passwordReset } from './password-reset.ts';
import { verify } from './verify.ts';
import { welcome } from './welcome.ts';

const { 'user.suspended': _, ...events } = userEvents;

export default emails({
  stream: USERS,
  calls: ['CreateLinkToken'],
  events,
  templates: {
    'user.created': verify,
    'user.email_verified': welcome,
    'user.password_reset_requested': passwordReset,
    'user.password_changed': passwordChanged,
  },
  about: ({ userId: recipient }) => ({ recipient }),
});
