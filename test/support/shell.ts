/** A shell as a function gets it, for tests that open its parts in their own process. */

import type { Shell } from '../../functions/runtime/function.ts';
import { openLog } from '../../functions/runtime/log.ts';
import { readSettings } from '../../functions/runtime/process/settings.ts';
import type { SettingsOf } from '../../functions/runtime/settings.ts';

type Closing = { close(): Promise<void> };

/** `settings` are those of what is opened; `name` is who it is to NATS. `close` runs what was opened with the shell backwards, as a function's end does. */
export function testShell<Own extends object>(
  settings: SettingsOf<Own>,
  environment: Readonly<Record<string, string>>,
  name = 'test',
): Closing & { readonly shell: Shell<Own> } {
  const closers: (() => Promise<void> | void)[] = [];
  const read = readSettings(settings, environment);
  return {
    shell: { name, settings: read, log: openLog('test', 'silent'), onClose: (close) => void closers.unshift(close) },
    async close() {
      for (const close of closers) await close();
    },
  };
}
