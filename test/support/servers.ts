/** The nats-server and the Postgres of tests, as programs of this machine or in containers. */
import type { NatsAccess } from '../../scripts/platform/servers/nats/nats-server.ts';
import type { Where } from './engine.ts';

export type TestNats = {
  readonly url: string;
  readonly monitorUrl: string;
  /** Such as SIGSTOP: it is there and does not answer. */
  signal(signal: NodeJS.Signals): Promise<void>;
  /** Ends it by SIGKILL and starts it again, with its data, on its ports. */
  restart(): Promise<void>;
  /** Ends it; its data is gone. */
  stop(): Promise<void>;
};
export type TestPostgres = { readonly url: string; stop(): Promise<void> };

export type Servers = {
  /** Fetches, with a word about it, what the first run has to fetch. */
  prepare(): Promise<void>;
  /** `access` says who may do what; without it anybody may do anything. */
  startNats(access?: NatsAccess): Promise<TestNats>;
  /** Fast rather than durable; the URL is its superuser's. */
  startPostgres(): Promise<TestPostgres>;
};

/** Loads only what is used. */
export const serversOf = async (where: Where): Promise<Servers> =>
  where === 'containers'
    ? (await import('./container-servers.ts')).containers
    : (await import('./local-servers.ts')).local;
