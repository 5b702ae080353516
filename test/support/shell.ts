/** A shell as a function gets it, for tests that open its parts in their own process. */

import type { Shell } from '../../functions/runtime/function.ts';
import { openLog } from '../../functions/runtime/log.ts';
import { readSettings, type Setting } from '../../functions/runtime/process/settings.ts';

/** `optional` are settings that may be unset; `name` is who it is to NATS. `close` runs what was opened with the shell backwards, as a function's end does. */
export function testShell<Need extends Setting>(
  environment: Readonly<Record<Need, string>>,
  optional: Readonly<Record<string, string>> = {},
  name = 'test',
): { readonly shell: Shell<Need>; close(): Promise<void> } {
  const closers: (() => Promise<void> | void)[] = [];
  const settings = readSettings(Object.keys(environment) as Need[], { ...environment, ...optional });
  return {
    shell: { name, settings, log: openLog('test', 'silent'), onClose: (close) => void closers.unshift(close) },
    async close() {
      for (const close of closers) await close();
    },
  };
}
