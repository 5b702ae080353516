/** User events → e-mails about the account, each once. */
import { USERS, userEvents } from '../../users/events.ts';
import { emails } from '../email.ts';
import { welcome } from './welcome.ts';

export default emails({
  stream: USERS,
  accepts: { 'user.created': { schema: userEvents['user.created'], template: welcome } },
});
