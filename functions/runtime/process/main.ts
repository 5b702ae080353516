/** Runs a function as a process: settings, probes, start, and on SIGTERM a drain; the entry of every bundle. */

import { toAppError } from '../errors.ts';
import type { Definition, Running, Shell } from '../function.ts';
import { closeServer, startServer } from '../http/server.ts';
import { openLog } from '../log.ts';
import { pushMetrics, record } from '../metrics.ts';
import { ConfigError, type SettingsOf } from '../settings.ts';
import { readSettings } from './settings.ts';

/** Ends the process; what the operator must mend is said plainly, anything else with its stack. */
function exitWith(error: unknown): never {
  const what = error instanceof ConfigError ? error.message : `could not start: ${toAppError(error).stack}`;
  process.stderr.write(`${what}\n`);
  process.exit(1);
}

function settingsOrExit<Own extends object>(definition: Definition<Own>) {
  try {
    return readSettings(definition.settings as SettingsOf<Own>);
  } catch (error) {
    return exitWith(error);
  }
}

/** Loads the recorder only when there is somewhere to send spans. */
async function pushTraces(shell: Shell): Promise<void> {
  const endpoint = shell.settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint) (await import('../telemetry/tracer.ts')).openTracer(shell, endpoint);
}

export async function run<Own extends object>(name: string, definition: Definition<Own>): Promise<void> {
  const settings = settingsOrExit(definition);
  const log = openLog(name, settings.LOG_LEVEL);
  const closers: (() => Promise<void> | void)[] = [];
  const shell: Shell<Own> = { name, settings, log, onClose: (close) => closers.unshift(close) };

  pushMetrics(shell);
  await pushTraces(shell);

  let running: Running | undefined;
  let draining = false;
  const notReady = () => (draining ? 'draining' : running ? running.notReady() : 'starting');
  const server = await startServer(shell, { notReady, handler: () => running?.http });

  const drain = async (signal: string): Promise<void> => {
    if (draining) return;
    draining = true;
    log.info({ signal }, 'draining');
    setTimeout(() => {
      log.error({ seconds: settings.DRAIN_SECONDS }, 'not drained in time; what is left will be delivered again');
      process.exit(1);
    }, settings.DRAIN_SECONDS * 1_000).unref();
    await Promise.all([closeServer(server), running?.drain()]);
    for (const close of closers) await close();
    log.info({}, 'drained');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void drain(signal).catch(exitWith));

  try {
    running = await definition.start(shell);
    record('millrace.cold_start', {}, performance.now() / 1_000);
  } catch (error) {
    exitWith(error);
  }
}
