/** User events → e-mails about the account, each once. */
import { USERS, userEvents } from '../../users/events.ts';
import { emails } from '../email.ts';
import { passwordChanged } from './password-changed.ts';
import { passwordReset } from './password-reset.ts';
import { welcome } from './welcome.ts';

export default emails({
  stream: USERS,
  events: userEvents,
  templates: {
    'user.created': welcome,
    'user.password_reset_requested': passwordReset,
    'user.password_changed': passwordChanged,
  },
});
