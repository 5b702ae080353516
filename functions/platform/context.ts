/** Platform: the tables that all contexts share, and what keeps their promise. */
import { context } from '../runtime/context.ts';

export default context({
  tables: {
    commands: { 'queries-api': 'select (command_id, type)' },
    outbox: { outbox_reader: 'select (created_at)' },
  },
  roles: { outbox_reader: 'KEDA, which counts the rows that `outbox-relay` is woken for' },
});
