/** What an application brings along to be run by the platform: the settings of its functions, and something to try. */
import type { Log } from '../../functions/runtime/log.ts';
import type { Database } from '../../functions/runtime/postgres.ts';
import type { Endpoints } from './servers/endpoints.ts';

/** Where things are. */
export type Place = {
  readonly endpoints: Endpoints;
  /** URL of an SMTP server that keeps what it gets. */
  readonly mailbox: string;
  /** A folder; what is made in it stays. */
  readonly secrets: string;
};

export type Seeding = Place & {
  readonly database: Database;
  /** A file for what must be known again at the next start. */
  readonly demo: string;
  readonly log: Log;
  onClose(close: () => Promise<void> | void): void;
};

/** `Demo` is what people need to try it, such as accounts. */
export type Application<Demo> = {
  /** Name → value of settings that its functions declare; each gets those that it declares itself. Servers may not run yet. */
  settings(place: Place): Promise<Readonly<Record<string, string>>>;
  /** Runs at every start, when servers and services are ready; what is there already stays as it is. */
  seed(place: Seeding): Promise<Demo>;
};
