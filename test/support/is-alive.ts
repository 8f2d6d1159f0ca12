import { readFileSync } from 'node:fs';

/** True while the process exists and is not merely a zombie that nobody has asked for. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    // No such file: the system has no /proc, or the process has just ended.
    return process.platform !== 'linux';
  }
}
