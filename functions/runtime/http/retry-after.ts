/** The header Retry-After → ms to wait. Pure. */

const LONGEST_MS = 12 * 3_600_000;

/** In ms from `now`, half a day at most: seconds or a date (RFC 9110); undefined when it is neither. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  // Date.parse takes a lot for a date, such as `-1`.
  if (Number.isNaN(ms) || !/^\d+$|GMT$/.test(text)) return undefined;
  return Math.min(Math.max(ms, 0), LONGEST_MS);
}
