/** What runs → the gateway in front of it, by the routes that functions declare, and the console behind that. */
import { aggregatesOf, readContexts } from '../registry/contexts.ts';
import { readDefinitions } from '../registry/functions.ts';
import { functionRouter, isHttp } from '../registry/routes.ts';
import type { Client } from './client.ts';
import { openConsole } from './console/console.ts';
import { countDeadLetters } from './console/dead-letters.ts';
import type { Pages } from './console/pages.ts';
import { openGateway } from './gateway/gateway.ts';
import type { Fleet } from './scaling/fleet.ts';
import type { Cleanup } from './servers/cleanup.ts';
import type { Ports } from './servers/endpoints.ts';
import type { Mailbox } from './servers/mailbox.ts';
import type { Servers } from './servers/servers.ts';
import type { Telemetry } from './telemetry/telemetry.ts';

type Parts = {
  readonly ports: Ports;
  readonly fleet: Fleet;
  readonly servers: Servers;
  readonly client: Client;
  readonly mailbox: Mailbox;
  readonly telemetry: Telemetry;
  readonly pages: Pages;
  readonly cleanup: Cleanup;
};

/** Throws for two functions that claim one route, and for an HTTP function that nothing scales. */
async function routesTo(fleet: Fleet) {
  const functions = (await readDefinitions()).filter(isHttp);
  const nameFor = functionRouter(functions);
  for (const { name } of functions) fleet.http(name);
  return (method: string, path: string) => fleet.http(nameFor(method, path));
}

async function consoleOf({ pages, client, fleet, telemetry, mailbox }: Parts) {
  const { bus, database } = client;
  const { points, spansOf } = telemetry;
  const aggregates = Object.entries(aggregatesOf(await readContexts())).map(([name, { aggregate }]) => ({
    name,
    aggregate,
  }));
  const counts = async () => ({ deadLetters: await countDeadLetters(bus), mails: mailbox.list().length });
  const mails = mailbox.list;
  return openConsole(pages, { bus, database, aggregates, states: fleet.states, points, spansOf, mails, counts });
}

export async function openEntrance(parts: Parts): Promise<void> {
  const { ports, fleet, servers, client, mailbox, telemetry, cleanup } = parts;
  const console = await consoleOf(parts);
  const gateway = await openGateway({
    port: ports.http,
    functionFor: await routesTo(fleet),
    notReady: () => [
      ...(servers.postgres.running() ? [] : ['Postgres does not run']),
      ...(servers.nats.running() && client.bus.connected() ? [] : ['NATS does not run']),
      ...fleet.notReady(),
    ],
    mail: mailbox.list,
    functions: fleet.states,
    telemetry,
    console,
  });
  cleanup.add('gateway', gateway.close);
  // The gateway closes once all have left it, and pages that listen stay until they are sent away.
  cleanup.add('console', console.close);
}
