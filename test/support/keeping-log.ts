/** A log that keeps its lines. */
import type { Log } from '../../functions/runtime/log.ts';

export type Logged = { readonly level: string; readonly message: string; readonly fields: Record<string, unknown> };

export function keepingLog(): { readonly log: Log; readonly lines: Logged[] } {
  const lines: Logged[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, fields: { ...fields } });
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}
