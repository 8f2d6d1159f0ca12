const WINDOW_MS = 10 * 60_000;
const PAUSES_MS = [0, 1_000, 5_000, 15_000, 60_000];

/** How often a crashed server may be started again: five times in ten minutes, ever more slowly. */
export class RestartBudget {
  private attempts: number[] = [];

  /**
   * Takes one attempt. Returns the pause before it in ms, or undefined when none is left.
   *
   * @param nowMs the time on a monotonic clock
   */
  take(nowMs: number): number | undefined {
    this.attempts = this.attempts.filter((at) => nowMs - at < WINDOW_MS);
    const pause = PAUSES_MS[this.attempts.length];
    if (pause !== undefined) this.attempts.push(nowMs);
    return pause;
  }
}
