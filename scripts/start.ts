/** `npm start [-- --fresh]`: the whole shop on this machine, until Ctrl-C. Nothing is left running. */
import path from 'node:path';
import { type Platform, type Ports, startPlatform } from './platform/platform.ts';
import { repository, shown } from './registry/repository.ts';
import { application } from './shop/demo/application.ts';
import type { Demo } from './shop/demo/seed.ts';
import { welcome } from './shop/demo/welcome.ts';

const USAGE = `usage: npm start [-- --fresh]
  --fresh   begin with empty data
environment: MILLRACE_PORT (8080), MILLRACE_GRPC_PORT (50051), MILLRACE_NATS_PORT (4222),
  MILLRACE_POSTGRES_PORT (5432), MILLRACE_DATA (.local), OTEL_EXPORTER_OTLP_ENDPOINT (traces and
  metrics are kept here, for npx millrace why)`;
/** npm and a terminal may both pass one Ctrl-C on. */
const SAME_KEYPRESS_MS = 500;

type Settings = { readonly fresh: boolean; readonly dataDir: string; readonly ports: Ports; readonly otlp: string };

function readStart(args: readonly string[], environment: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = [];
  const unknown = args.filter((arg) => arg !== '--fresh');
  if (unknown.length > 0) problems.push(`there is no option ${unknown.join(' ')}`);
  const port = (name: string, standard: number): number => {
    const raw = environment[name] || String(standard);
    if (/^\d{1,5}$/.test(raw) && Number(raw) <= 65_535) return Number(raw);
    problems.push(`${name} must be a port, 1 to 65535, or 0 for any; not '${raw}'`);
    return 0;
  };
  const ports = {
    http: port('MILLRACE_PORT', 8080),
    grpc: port('MILLRACE_GRPC_PORT', 50051),
    nats: port('MILLRACE_NATS_PORT', 4222),
    natsMonitor: 8222,
    postgres: port('MILLRACE_POSTGRES_PORT', 5432),
  };
  const otlp = environment.OTEL_EXPORTER_OTLP_ENDPOINT ?? '';
  if (otlp && !/^https?:\/\/[^/]/.test(otlp))
    problems.push('OTEL_EXPORTER_OTLP_ENDPOINT must be an http:// or https:// URL');
  if (problems.length > 0) fail(`${problems.join('\n')}\n\n${USAGE}`, 2);
  const dataDir = path.resolve(repository, environment.MILLRACE_DATA || '.local');
  return { fresh: args.includes('--fresh'), dataDir, ports, otlp };
}

function fail(message: string, code: number): never {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return say(USAGE);
  const settings = readStart(process.argv.slice(2), process.env);
  const began = Date.now();
  const elapsed = (): string => `${((Date.now() - began) / 1_000).toFixed(1)} s`.padStart(7);
  const interrupted = new AbortController();
  let platform: Platform<Demo> | undefined;
  let firstSignalAt = 0;

  const stop = async (): Promise<void> => {
    say('\nStopping: functions finish what they have begun. Ctrl-C again to end at once.');
    interrupted.abort(new Error('interrupted'));
    if (!platform) return;
    const problems = await platform.stop();
    for (const problem of problems) say(`  ${problem}`);
    say('Stopped.');
    process.exit(problems.length > 0 ? 1 : 0);
  };
  const onSignal = (): void => {
    if (firstSignalAt === 0) {
      firstSignalAt = Date.now();
      void stop();
    } else if (Date.now() - firstSignalAt > SAME_KEYPRESS_MS) {
      platform?.kill();
      fail('Ended at once.', 130);
    }
  };
  // A terminal that was closed must not keep the shop from stopping in order.
  process.stdout.on('error', () => undefined);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

  say(
    `Millrace starts, with its data in ${shown(settings.dataDir)}${settings.fresh ? ', which is emptied first' : ''}`,
  );
  try {
    const started = await startPlatform(application, {
      ...settings,
      ...(settings.otlp ? { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: settings.otlp } } : {}),
      progress: (line) => say(`${elapsed()}  ${line}`),
      signal: interrupted.signal,
    });
    platform = started;
    if (interrupted.signal.aborted) return stop();
    say(welcome({ ...started, wanted: settings.ports, logs: shown(started.logs), natsKey: shown(started.natsKey) }));
  } catch (error) {
    if (interrupted.signal.aborted) fail('Stopped.', 130);
    fail(`Millrace did not start: ${messageOf(error)}`, 1);
  }
}

await main();
