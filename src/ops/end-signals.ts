import { constants } from 'node:os';
import type { Clock } from '../core/ports';
import { systemClock } from './system';

/**
 * Signals within this time of the first are the same one, ms: npm passes on a Ctrl-C that the
 * terminal has already given to its child.
 */
const SAME_SIGNAL_MS = 1_000;
const END_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** The process that gets the signals. */
export interface SignalledProcess {
  on(signal: NodeJS.Signals, heard: () => void): unknown;
  exit(code: number): void;
}

/**
 * Listens for SIGTERM and SIGINT: the first asks for the end in good order, one that comes a second
 * or more later ends the process at once, with 128 and the number of the signal.
 *
 * @param begin called once, with the first signal
 */
export function onEndSignals(
  begin: () => void,
  target: SignalledProcess = process,
  clock: Clock = systemClock,
): void {
  let first: number | null = null;
  for (const signal of END_SIGNALS) {
    target.on(signal, () => {
      const now = clock.now();
      if (first === null) {
        first = now;
        begin();
      } else if (now - first >= SAME_SIGNAL_MS) {
        target.exit(128 + constants.signals[signal]);
      }
    });
  }
}
