/** JSON lines on stdout (pino), with the function's name in each, and the trace and order that it is about. */
import { pino } from 'pino';
import { logFields } from './trace.ts';

export type Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export const openLog = (name: string, level: string): Log =>
  pino({
    level,
    base: { function: name },
    mixin: logFields,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  });
