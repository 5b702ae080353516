/** Users: accounts, sessions and the keys that sign their tokens, behind one gRPC service. */
import { context } from '../runtime/context.ts';
import { USERS, userEvents } from './events.ts';

const ALL = 'select, insert, update, delete';
const READ = 'select';

export default context({
  stream: { name: USERS, description: 'the log of user events, without personal data' },
  events: userEvents,
  tables: {
    // Whoever makes somebody one of the staff is not a function.
    users: {
      service:
        'select, insert (user_id, email, password_hash, name, created_at), update (password_hash, name, email_verified_at, suspended_at, suspension_reason)',
    },
    sessions: { service: ALL },
    refresh_tokens: { service: ALL },
    link_tokens: { service: ALL },
    attempts: { service: ALL },
    known_addresses: { service: ALL },
    signing_keys: {
      service: 'select, insert, update',
      'commands-api': READ,
      'queries-api': READ,
      'event-ingress': READ,
    },
  },
  exports: ['events.ts', 'client.ts', 'access-token.ts', 'kept-keys.ts'],
});
