/** Wanted ports → ports that are free, and the addresses of the platform made of them. */
import { freePort } from './ports.ts';

/** 0 is any. */
export type Ports = {
  readonly http: number;
  readonly grpc: number;
  readonly nats: number;
  readonly natsMonitor: number;
  readonly postgres: number;
};
/** As in .local/endpoints.json: `grpc` is host:port, the others are URLs. */
export type Endpoints = { readonly [Name in keyof Ports]: string };

export const ANY_PORTS: Ports = { http: 0, grpc: 0, nats: 0, natsMonitor: 0, postgres: 0 };

export async function choosePorts(wanted: Ports): Promise<Ports> {
  const taken = new Set<number>();
  const choose = async (preferred: number): Promise<number> => {
    const port = await freePort(taken.has(preferred) ? 0 : preferred);
    taken.add(port);
    return port;
  };
  return {
    http: await choose(wanted.http),
    grpc: await choose(wanted.grpc),
    nats: await choose(wanted.nats),
    natsMonitor: await choose(wanted.natsMonitor),
    postgres: await choose(wanted.postgres),
  };
}

export const endpointsOf = (ports: Ports): Endpoints => ({
  http: `http://127.0.0.1:${ports.http}`,
  grpc: `127.0.0.1:${ports.grpc}`,
  nats: `nats://127.0.0.1:${ports.nats}`,
  natsMonitor: `http://127.0.0.1:${ports.natsMonitor}`,
  postgres: `postgres://postgres@127.0.0.1:${ports.postgres}/postgres`,
});
