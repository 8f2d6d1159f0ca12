/**
 * Named points between the steps of a task's life. A test arms one of them by a setting, and the
 * process dies there as by `kill -9`: no handler runs, nothing is flushed.
 */
export const CRASH_POINTS = [
  'submit:read',
  // Nothing of the flush has been sent.
  'journal:before-commit',
  'journal:after-commit',
  'submit:committed',
  'dispatch:before-send',
  'dispatch:answered',
  'dispatch:confirmed',
  'report:read',
  'report:recorded',
] as const;

/** One of the points at which a test can let the process die. */
export type CrashPoint = (typeof CRASH_POINTS)[number];

/** True for the name of one of the points. */
export function isCrashPoint(name: string): name is CrashPoint {
  return (CRASH_POINTS as readonly string[]).includes(name);
}

let armed: CrashPoint | null = null;
let passesLeft = 0;

/**
 * Arms one point; null disarms.
 * @param pass the process dies when the point is passed for this time, counted from 1
 */
export function armCrashPoint(point: CrashPoint | null, pass = 1): void {
  armed = point;
  passesLeft = pass;
}

/** Dies here if this point is armed and its pass has come. */
export function crashPoint(point: CrashPoint): void {
  if (point !== armed || --passesLeft > 0) return;
  process.kill(process.pid, 'SIGKILL');
}
