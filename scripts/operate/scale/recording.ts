/** Lines of JSON → what was recorded of a function, checked; an error names the line. */
import * as z from 'zod/mini';
import { validate } from '../../../functions/runtime/schema.ts';
import type { Series } from './model/load.ts';

const least0 = z.number().check(z.gte(0));
const above0 = z.number().check(z.gt(0));
const whole = z.int('must be a whole number').check(z.gte(0));
const times = z.object({ p50: above0, p95: above0 });

const header = z.object({ function: z.string(), recordedAt: z.string(), everySeconds: above0 });
/** `t`: seconds since the beginning; `arrived`: messages since the line before; what is of now. */
const sample = z.object({
  t: above0,
  arrived: whole,
  lag: z.optional(whole),
  replicas: z.optional(whole),
  ready: z.optional(whole),
});
/** Seconds from a message's coming until its handler begins; ms of the handler. Upper bounds of a histogram. */
const summary = z.object({
  handled: whole,
  handlerMs: z.optional(times),
  waits: z.optional(z.object({ p50: least0, p95: least0 })),
});

export type RecordedHeader = z.infer<typeof header>;
export type Sample = z.infer<typeof sample>;
export type Summary = z.infer<typeof summary>;
export type Recording = {
  readonly header?: RecordedHeader;
  readonly samples: readonly Sample[];
  readonly summary?: Summary;
};

const MOST_MESSAGES = 20_000_000;

/** Only samples are needed: a load may be written by hand. */
export function readRecording(text: string, file: string): Recording {
  const read: { header?: RecordedHeader; samples: Sample[]; summary?: Summary } = { samples: [] };
  for (const [index, line] of text.split('\n').entries()) {
    const where = `${file}, line ${index + 1}`;
    if (line.trim() === '') continue;
    const value = parse(line, where);
    if (isOf(value, 'function')) read.header = validate(header, value, where);
    else if (isOf(value, 'handled')) read.summary = validate(summary, value, where);
    else read.samples.push(later(validate(sample, value, where), read.samples.at(-1), where));
  }
  const messages = read.samples.reduce((sum, { arrived }) => sum + arrived, 0);
  if (messages === 0) throw new Error(`${file} has no message; a line is such as {"t": 1, "arrived": 12}`);
  if (messages > MOST_MESSAGES) throw new Error(`${file} has ${messages} messages; at most ${MOST_MESSAGES} are taken`);
  return read;
}

function parse(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`${where} is not JSON; a line is such as {"t": 1, "arrived": 12}`);
  }
}

const isOf = (value: unknown, key: string): boolean => typeof value === 'object' && value !== null && key in value;

function later(one: Sample, before: Sample | undefined, where: string): Sample {
  if (before && one.t <= before.t) throw new Error(`${where}: t is ${one.t}, and must be above ${before.t}`);
  return one;
}

export const seriesOf = ({ samples }: Recording): Series => samples;
