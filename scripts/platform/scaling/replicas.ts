/** A function and how many replicas are wanted → that many processes, started again with growing delays when they end by themselves. */
import { count } from '../../../functions/runtime/metrics.ts';
import { logTo, openLogFile } from '../servers/log-file.ts';
import { type Replica, startReplica } from './replica.ts';

export type Change = { readonly at: string; readonly from: number; readonly to: number; readonly why: string };
export type Replicas = {
  readonly name: string;
  /** How many there should be, and why; those that are too many are drained. */
  scaleTo(count: number, why: string): void;
  wanted(): number;
  ready(): Replica[];
  pids(): number[];
  /** The last ones, the newest first. */
  changes(): readonly Change[];
  /** Why the last one ended by itself, with the end of its log; undefined when one has become ready since. */
  problem(): string | undefined;
  onChange(listener: () => void): void;
  /** Drains all, and resolves when no process is left. */
  stop(): Promise<void>;
  kill(): void;
};
export type ReplicasOptions = {
  readonly name: string;
  readonly file: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
};

const CHANGES_KEPT = 20;
const LONGEST_DELAY_MS = 60_000;
const STEADY_MS = 60_000;

/** 1, 2, 4 … 60 s, as Kubernetes waits in CrashLoopBackOff. */
const restartDelayMs = (crashes: number): number => Math.min(LONGEST_DELAY_MS, 1_000 * 2 ** (crashes - 1));

export function openReplicas({ name, file, environment, logFile }: ReplicasOptions): Replicas {
  const log = openLogFile(logFile);
  const platformLog = logTo(log);
  const all = new Set<Replica>();
  const listeners: (() => void)[] = [];
  let wanted = 0;
  let crashes = 0;
  let restart: NodeJS.Timeout | undefined;
  let changes: readonly Change[] = [];
  let problem: string | undefined;

  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  const kept = (): Replica[] => [...all].filter((replica) => !replica.draining());

  const start = (): void => {
    const replica = startReplica({ file, environment, log, changed });
    all.add(replica);
    void replica.started.then((ready) => {
      if (ready) problem = undefined;
    });
    void replica.ended.then((how) => {
      all.delete(replica);
      if (replica.draining()) return;
      crashes = Date.now() - replica.startedAt > STEADY_MS ? 1 : crashes + 1;
      problem = [`${name} ${how}. The end of ${logFile}:`, ...log.tail()].join('\n  ');
      platformLog.error({ pid: replica.pid, left: kept().length, wanted }, how);
      restartLater();
    });
  };

  const startMissing = (most = Number.POSITIVE_INFINITY): void => {
    for (let missing = Math.min(most, wanted - kept().length); missing > 0; missing -= 1) start();
  };

  /** Starting ones go before ready ones, and those with little to finish before those with much. */
  const leastNeeded = (): Replica | undefined =>
    kept().sort(
      (a, b) => Number(a.ready()) - Number(b.ready()) || a.inFlight - b.inFlight || b.startedAt - a.startedAt,
    )[0];

  const restartLater = (): void => {
    restart ??= setTimeout(() => {
      restart = undefined;
      startMissing();
    }, restartDelayMs(crashes));
  };

  const scaleTo = (to: number, why: string): void => {
    if (to === wanted) return;
    changes = [{ at: new Date().toISOString(), from: wanted, to, why }, ...changes].slice(0, CHANGES_KEPT);
    platformLog.info({ from: wanted, to, why }, 'scaled');
    count('millrace.scale_changes', { function: name, direction: to > wanted ? 'up' : 'down' });
    const added = to - wanted;
    wanted = to;
    if (to === 0) {
      crashes = 0;
      clearTimeout(restart);
      restart = undefined;
    }
    // What has crashed waits for its restart; what is new does not.
    startMissing(added);
    for (let excess = kept().length - wanted; excess > 0; excess -= 1) void leastNeeded()?.drain();
  };

  return {
    name,
    scaleTo,
    wanted: () => wanted,
    ready: () => kept().filter((replica) => replica.ready()),
    pids: () => kept().map(({ pid }) => pid),
    changes: () => changes,
    problem: () => problem,
    onChange: (listener) => void listeners.push(listener),
    async stop() {
      scaleTo(0, 'the platform stops');
      await Promise.all([...all].map((replica) => replica.ended));
      log.close();
    },
    kill() {
      for (const replica of all) replica.kill();
    },
  };
}
