/** A shell as a function gets it, for tests that open its parts in their own process. */
import { readSettings, type Setting } from '../../functions/runtime/config.ts';
import type { Shell } from '../../functions/runtime/function.ts';
import { openLog } from '../../functions/runtime/log.ts';

/** `close` runs what was opened with the shell backwards, as a function's end does. */
export function testShell<Need extends Setting>(
  environment: Readonly<Record<Need, string>>,
): { readonly shell: Shell<Need>; close(): Promise<void> } {
  const closers: (() => Promise<void> | void)[] = [];
  const settings = readSettings(Object.keys(environment) as Need[], environment);
  return {
    shell: { name: 'test', settings, log: openLog('test', 'silent'), onClose: (close) => void closers.unshift(close) },
    async close() {
      for (const close of closers) await close();
    },
  };
}
