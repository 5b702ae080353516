/** A process id → a mark that no later process with the same id has: when it started. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Empty when there is no such process. */
export function processMark(pid: number): string {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name, which may hold anything: state is field 3, starttime field 22 (proc_pid_stat(5)).
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return '';
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[18]}`;
  } catch {
    return '';
  }
}

export const isSameProcess = ({ pid, mark }: { pid: number; mark: string }): boolean =>
  mark !== '' && processMark(pid) === mark;
