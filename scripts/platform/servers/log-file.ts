/** Lines → a file that never grows beyond two parts of `partBytes`; the last lines stay at hand for error messages. */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import type { Log } from '../../../functions/runtime/log.ts';

export type LogFile = {
  readonly path: string;
  write(line: string): void;
  /** The last lines, oldest first. */
  tail(): readonly string[];
  close(): void;
};

const PART_BYTES = 5_000_000;
const TAIL_LINES = 15;
const TAIL_LINE_LENGTH = 500;

export function openLogFile(path: string, partBytes = PART_BYTES): LogFile {
  let file: number | undefined = openSync(path, 'a', 0o600);
  let size = fstatSync(file).size;
  const last: string[] = [];

  const rotate = (full: number): number => {
    closeSync(full);
    renameSync(path, `${path}.1`);
    size = 0;
    return openSync(path, 'a', 0o600);
  };

  return {
    path,
    write(line) {
      last.push(line.slice(0, TAIL_LINE_LENGTH));
      if (last.length > TAIL_LINES) last.shift();
      if (file === undefined) return;
      if (size > partBytes) file = rotate(file);
      size += writeSync(file, `${line}\n`);
    },
    tail: () => [...last],
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** The platform's own log, in the functions' form. */
export function logTo(file: LogFile): Log {
  const write = (level: string) => (fields: object, msg: string) =>
    file.write(JSON.stringify({ level, time: new Date().toISOString(), ...fields, msg }));
  return { debug: () => undefined, info: write('info'), warn: write('warn'), error: write('error') };
}
