/** A way to start a server → that server, started again at the same address whenever it ends by itself or stays unhealthy. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Exit } from './server-process.ts';

type Server = {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  healthy?(): Promise<boolean>;
};
export type KeptServer<S extends Server> = {
  readonly first: S;
  running(): boolean;
  stop(): Promise<void>;
  kill(): void;
};

const RETRY_MS = 1_000;
const PROBE_EVERY_MS = 2_000;
/** In a row; then it is restarted, as a liveness probe would do. */
const MOST_BAD_PROBES = 4;

export async function keepServer<S extends Server>(
  name: string,
  start: () => Promise<S>,
  progress: (line: string) => void,
): Promise<KeptServer<S>> {
  const first = await start();
  let current: S | undefined = first;
  let stopping = false;
  let restarting: Promise<void> | undefined;

  const startAgain = async (): Promise<void> => {
    while (!stopping) {
      try {
        current = await start();
        progress(`${name} runs again, process ${current.pid}`);
        return watch(current);
      } catch (error) {
        progress(`${name} does not start again: ${error instanceof Error ? error.message : error}`);
        await delay(RETRY_MS);
      }
    }
  };
  const probe = async (server: S, healthy: () => Promise<boolean>): Promise<void> => {
    let bad = 0;
    while (bad < MOST_BAD_PROBES) {
      await delay(PROBE_EVERY_MS, undefined, { ref: false });
      if (current !== server || stopping) return;
      bad = (await healthy()) ? 0 : bad + 1;
    }
    progress(`${name} stays unhealthy; it is stopped`);
    await server.stop();
  };
  const watch = (server: S): void => {
    if (server.healthy) void probe(server, server.healthy);
    void server.exited.then(({ code, signal }) => {
      current = undefined;
      if (stopping) return;
      progress(`${name} ended (${signal ?? `exit code ${code}`}); starting it again`);
      restarting = startAgain();
    });
  };
  watch(first);

  return {
    first,
    running: () => current !== undefined,
    async stop() {
      stopping = true;
      await restarting;
      await current?.stop();
    },
    kill() {
      stopping = true;
      current?.kill('SIGKILL');
    },
  };
}
