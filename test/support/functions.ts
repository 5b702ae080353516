/** A function as it really runs: its bundle in a process of its own. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { inject } from 'vitest';
import { repository } from '../../scripts/registry/repository.ts';
import type { Backends } from './backends.ts';
import { until } from './until.ts';

export type RunningFunction = {
  readonly url: string;
  readonly pid: number;
  /** Lines that it has logged so far. */
  readonly lines: string[];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM; throws unless it drains and exits with 0. */
  stop(): Promise<void>;
};

type Options = {
  readonly env?: Readonly<Record<string, string>>;
  readonly require?: string;
  readonly whenReady?: boolean;
};

const bundleOf = (name: string): string => path.join(repository, 'dist', name, 'index.cjs');

/** By the login that has the rights of the function; not there for one that needs no database. */
function databaseUrlOf(name: string, backends: Backends): string {
  const login = inject('postgresLogins')[name];
  if (!login) return '';
  const url = new URL(login);
  url.pathname = new URL(backends.databaseUrl).pathname;
  return url.href;
}

/** Starts a function on the backends and waits for `/readyz`. */
export async function startFunction(name: string, backends: Backends, options: Options = {}): Promise<RunningFunction> {
  const preload = options.require ? ['--require', options.require] : [];
  const seedFile = backends.seedFiles[name];
  const child = spawn(process.execPath, [...preload, bundleOf(name)], {
    env: {
      HOST: '127.0.0.1',
      PORT: '0',
      NATS_URL: backends.natsUrl,
      DATABASE_URL: databaseUrlOf(name, backends),
      ...(seedFile ? { NATS_SEED_FILE: seedFile } : {}),
      USER_SERVICE_ADDRESS: '127.0.0.1:1',
      SMTP_URL: 'smtp://127.0.0.1:1',
      SHOP_URL: 'https://shop.example',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let exit: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
  }
  const exited = new Promise<NonNullable<typeof exit>>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal };
      resolve(exit);
    });
  });
  const listening = () => lines.map((line) => /"port":(\d+).*"msg":"listening"/.exec(line)?.[1]).find(Boolean);
  await until(`${name} to listen`, () => exit !== undefined || listening());
  if (exit && options.whenReady !== false)
    throw new Error(`${name} ended: ${JSON.stringify(exit)}\n${lines.join('\n')}`);
  const url = `http://127.0.0.1:${listening() ?? 0}`;
  if (options.whenReady !== false) await until(`${name} to be ready`, async () => (await fetch(`${url}/readyz`)).ok);
  return {
    url,
    pid: child.pid ?? 0,
    lines,
    exited,
    kill: (signal) => void child.kill(signal),
    async stop() {
      child.kill('SIGTERM');
      const { code, signal } = await exited;
      if (code !== 0)
        throw new Error(`${name} did not drain: exit code ${code}, signal ${signal}\n${lines.join('\n')}`);
    },
  };
}
