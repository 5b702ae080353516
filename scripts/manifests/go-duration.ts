/** A Go duration, such as "30s" or "1h30m" → nanoseconds, as JetStream takes them. */

const NANOS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g;

export const isGoDuration = (text: string): boolean => /^((\d+(\.\d+)?)(ns|us|µs|ms|s|m|h))+$/.test(text);

export function nanoseconds(text: string): number {
  if (!isGoDuration(text)) throw new Error(`'${text}' is not a duration; write it as 30s, 5m or 1h30m`);
  let total = 0;
  for (const [, amount, unit = ''] of text.matchAll(PART)) total += Number(amount) * (NANOS[unit] ?? 0);
  return Math.round(total);
}
