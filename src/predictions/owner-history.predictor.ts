/** Owners that are remembered; above it the one that was quiet longest goes. */
const MOST_OWNERS = 10_000;

/**
 * How long the next job of somebody will run: as long as the last two did on average, but no longer than
 * its limit allows (Tsafrir, Etsion and Feitelson, 2007). People run the same thing again and again, and
 * ask for far more time than they need.
 */
export class OwnerHistory {
  private readonly latest = new Map<string, readonly number[]>();

  /**
   * @param limitMs `Infinity`: none
   * @returns ms; undefined where nothing of the owner is known
   */
  predict(owner: string, limitMs: number): number | undefined {
    const runs = this.latest.get(owner);
    if (!runs) return undefined;
    const mean = runs.reduce((sum, ms) => sum + ms, 0) / runs.length;
    return Math.min(mean, limitMs);
  }

  /** A job of that owner has ended after so many ms. Called in the order of the ends. */
  learn(owner: string, runMs: number): void {
    const [last] = this.latest.get(owner)?.slice(-1) ?? [];
    this.latest.delete(owner);
    this.latest.set(owner, last === undefined ? [runMs] : [last, runMs]);
    if (this.latest.size <= MOST_OWNERS) return;
    for (const quietest of this.latest.keys()) {
      this.latest.delete(quietest);
      return;
    }
  }
}
