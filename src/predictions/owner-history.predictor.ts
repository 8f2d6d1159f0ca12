/** Sets of jobs that are remembered; above it the one that was quiet longest goes. */
const MOST_REMEMBERED = 20_000;

/**
 * How long the next job of somebody will run. People run the same thing again and again, with the same
 * limit, and ask for far more time than it needs: so the last two jobs of the owner with that limit say
 * much (Tsafrir, Etsion and Feitelson, 2007). But two are few, and the limit says something of this
 * very job: the estimate is the geometric mean of theirs and of the limit, and never above the limit.
 */
export class OwnerHistory {
  private readonly latest = new Map<string, readonly number[]>();

  /**
   * @param limitMs `Infinity`: none; then the last two count alone
   * @returns ms; undefined where no such job is known
   */
  predict(owner: string, limitMs: number): number | undefined {
    const runs = this.latest.get(nameOf(owner, limitMs));
    if (!runs) return undefined;
    const mean = runs.reduce((sum, ms) => sum + ms, 0) / runs.length;
    return Number.isFinite(limitMs) ? Math.sqrt(Math.min(mean, limitMs) * limitMs) : mean;
  }

  /** A job of that owner with that limit has ended after so many ms. Called in the order of the ends. */
  learn(owner: string, limitMs: number, runMs: number): void {
    const name = nameOf(owner, limitMs);
    const [last] = this.latest.get(name)?.slice(-1) ?? [];
    this.latest.delete(name);
    this.latest.set(name, last === undefined ? [runMs] : [last, runMs]);
    if (this.latest.size <= MOST_REMEMBERED) return;
    for (const quietest of this.latest.keys()) {
      this.latest.delete(quietest);
      return;
    }
  }
}

function nameOf(owner: string, limitMs: number): string {
  return `${limitMs}/${owner}`;
}
