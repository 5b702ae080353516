/** A shop of its own for a run: its functions reach NATS, Postgres, user-service and the mail server through links that can be cut. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Client, openClient } from '../../platform/client.ts';
import { startPlatform } from '../../platform/platform.ts';
import { type Cleanup, openCleanup } from '../../platform/servers/cleanup.ts';
import { pathsOf } from '../../platform/servers/data-folder.ts';
import { ANY_PORTS, choosePorts, type Endpoints } from '../../platform/servers/endpoints.ts';
import { dataDirFor } from '../../platform/servers/postgres/postgres.ts';
import type { NatsUser } from '../../registry/nats-users/permissions.ts';
import { application } from '../demo/application.ts';
import type { Demo } from '../demo/seed.ts';
import { type Disk, openDisk } from './disk.ts';
import { type Link, openLink } from './link.ts';
import { type MailSink, openMailSink } from './mail-sink.ts';
import type { FaultName } from './plan.ts';
import type { Excuse, Planted } from './snapshot.ts';

export type Server = 'nats' | 'postgres' | 'users';
export type Impossible = ReadonlyMap<FaultName, string>;
export type World = {
  readonly dataDir: string;
  readonly endpoints: Endpoints;
  readonly demo: Demo;
  /** Around all links. */
  readonly client: Client;
  readonly links: Readonly<Record<Server, Link>>;
  readonly mail: MailSink;
  /** Of nats-server; undefined where `impossible` says why. */
  readonly disk: Disk | undefined;
  /** Faults that this machine does not allow, and why. */
  readonly impossible: Impossible;
  readonly planted: Planted[];
  readonly excuses: Excuse[];
  /** Stops everything; its folder stays when `keep`. */
  end(keep: boolean): Promise<void>;
};

/** It plants messages anywhere, as no user of a shop may. */
const CHAOS: NatsUser = { name: 'chaos', publish: ['>'], subscribe: ['_INBOX.chaos.>'] };

const WRONG_CLOCK = path.join(import.meta.dirname, 'wrong-clock.cjs');

/** So short that orders expire during a run. */
const PAYMENT_WINDOW_SECONDS = '40';

async function openLinks(cleanup: Cleanup) {
  const ports = await choosePorts(ANY_PORTS);
  const links = {
    nats: await openLink(ports.nats),
    postgres: await openLink(ports.postgres),
    users: await openLink(ports.grpc),
  };
  for (const [name, link] of Object.entries(links)) cleanup.add(`link to ${name}`, link.close);
  const mail = await openMailSink();
  cleanup.add('mail sink', mail.close);
  const environment = {
    // All customers come from one address.
    SIGN_UPS_PER_ADDRESS: '100000',
    NATS_URL: `nats://127.0.0.1:${links.nats.port}`,
    DATABASE_URL: `postgres://postgres@127.0.0.1:${links.postgres.port}/postgres`,
    USER_SERVICE_ADDRESS: `127.0.0.1:${links.users.port}`,
    SMTP_URL: mail.url,
    PAYMENT_WINDOW_SECONDS,
    NODE_OPTIONS: `--require ${WRONG_CLOCK}`,
  };
  return { ports, links, mail, environment };
}

/** The disk of nats-server's streams, below the folder of its data. */
const diskOf = (dataDir: string) => openDisk(path.join(pathsOf(dataDir).nats, 'jetstream'));

export async function openWorld(): Promise<World> {
  const cleanup = openCleanup();
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'millrace-chaos-'));
  let keeping = true;
  try {
    const { ports, links, mail, environment } = await openLinks(cleanup);
    const disk = await diskOf(dataDir);
    const possible = 'problem' in disk ? undefined : disk;
    cleanup.add('disk of nats-server', () => possible?.close(keeping));
    const natsLauncher = possible?.launcher ?? [];
    const platform = await startPlatform(application, {
      dataDir,
      ports,
      environment,
      natsLauncher,
      natsUsers: [CHAOS],
    });
    cleanup.add('shop', async () => {
      const problems = await platform.stop();
      if (problems.length > 0) throw new Error(problems.join('; '));
    });
    const { endpoints, demo } = platform;
    const moved = Object.entries(platform.ports).some(([name, port]) => ports[name as keyof typeof ports] !== port);
    if (moved) throw new Error('a port of the shop was taken by another process; try again');
    const client = await openClient(endpoints, pathsOf(dataDir), cleanup, CHAOS.name);
    return {
      dataDir,
      endpoints,
      demo,
      client,
      links,
      mail,
      disk: possible,
      impossible: new Map('problem' in disk ? [['full disk', disk.problem]] : []),
      planted: [],
      excuses: [],
      async end(keep) {
        keeping = keep;
        const problems = await cleanup.unwind();
        if (!keep) {
          await rm(dataDirFor(path.join(dataDir, 'postgres')), { recursive: true, force: true });
          await rm(dataDir, { recursive: true, force: true });
        }
        if (problems.length > 0) throw new Error(`the shop did not stop cleanly: ${problems.join('; ')}`);
      },
    };
  } catch (error) {
    await cleanup.unwind();
    throw error;
  }
}

/** Everything works again. */
export function letGo({ links, mail }: World): void {
  for (const link of Object.values(links)) link.become('open');
  mail.become('takes');
}
