/** kubectl of the PATH: arguments and input → what it prints; throws what it says when it fails. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

/** Every call is in this namespace. An aborted `signal` ends the call that runs, and every later one. */
export function openKubectl(namespace: string, signal?: AbortSignal): Kubectl {
  return async (args, input = '') => {
    signal?.throwIfAborted();
    // Of a group of its own: Ctrl-C is for the one who decides what is to be put back.
    const child = spawn('kubectl', ['--namespace', namespace, ...args], {
      detached: true,
      ...(signal ? { signal } : {}),
    });
    child.stdin.on('error', () => undefined).end(input);
    const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
    const [code, said, problem] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    if (code === 0) return said;
    throw new Error(`kubectl ${args.slice(0, 3).join(' ')} failed: ${problem.trim() || `exit code ${code}`}`);
  };
}
