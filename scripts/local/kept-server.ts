/** A way to start a server → that server, started again at the same address whenever it ends by itself. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Exit } from './server-process.ts';

type Server = {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
};
export type KeptServer<S extends Server> = {
  readonly first: S;
  running(): boolean;
  stop(): Promise<void>;
  kill(): void;
};

const RETRY_MS = 1_000;

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
  const watch = (server: S): void => {
    void server.exited.then(({ code, signal }) => {
      current = undefined;
      if (stopping) return;
      progress(`${name} ended by itself (${signal ?? `exit code ${code}`}); starting it again`);
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
