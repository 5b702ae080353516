/** JSON lines on stdout, with the function's name in each, and the trace and the subject that it is about. */
import { writeSync } from 'node:fs';
import { logFields } from './trace.ts';

type Write = (fields: object, message: string) => void;
export type Log = { readonly debug: Write; readonly info: Write; readonly warn: Write; readonly error: Write };

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];
const STDOUT = 1;

/** Whoever reads a pipe may be slower than what is written. */
function writeAll(line: string): void {
  for (let rest = Buffer.from(line); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(STDOUT, rest));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** What cannot be written as JSON is left out of the line, and never ends a function. */
function toJson(fields: object): string {
  try {
    return JSON.stringify(fields);
  } catch (error) {
    return JSON.stringify({ unwritable: String(error) });
  }
}

export function openLog(name: string, level: string): Log {
  const at = (own: string): Write => {
    if (LEVELS.indexOf(own) < LEVELS.indexOf(level)) return () => undefined;
    return (fields, msg) => {
      const head = { level: own, time: new Date().toISOString(), function: name, ...logFields() };
      writeAll(`${toJson({ ...head, ...fields, msg })}\n`);
    };
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
