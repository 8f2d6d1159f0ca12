import type { Instant } from './units';

/** Ends of one instance that are remembered. */
const KEPT = 64;
/** So many failures in a row are a run, and not yet bad luck. */
const SHORTEST_RUN = 5;
/** A run is no chance when an instance that is like the others had it less often than this. */
const CHANCE = 1e-4;

interface End {
  readonly failed: boolean;
  readonly at: Instant;
}

/** How the last tasks at one instance ended. */
export class TrackRecord {
  /** Oldest first. */
  private readonly ends: End[] = [];

  note(failed: boolean, at: Instant): void {
    this.ends.push({ failed, at });
    if (this.ends.length > KEPT) this.ends.shift();
  }

  /** The failures since the last success: how many, and since when; undefined when there are none. */
  get run(): { readonly length: number; readonly since: Instant } | undefined {
    const first = this.ends.findLastIndex(({ failed }) => !failed) + 1;
    const begin = this.ends[first];
    return begin && { length: this.ends.length - first, since: begin.at };
  }

  /** What ended from that instant on. */
  since(begin: Instant): { readonly completed: number; readonly failed: number } {
    const ends = this.ends.filter(({ at }) => at >= begin);
    const failed = ends.filter((end) => end.failed).length;
    return { completed: ends.length - failed, failed };
  }
}

/**
 * True when an instance keeps failing tasks that others complete (RELIABILITY_MODEL, section 6).
 * The share of failures of the others, since the run of failures here began, is what a task of this
 * queue risks anywhere (by Laplace's rule, so that few tasks prove little); the instance is an
 * outlier when a run of this length would then be rarer than 1 in 10 000. Tasks that are bad
 * themselves fail everywhere, and so accuse nobody.
 *
 * @param others the records of the other instances of its queue
 */
export function isOutlier(own: TrackRecord, others: Iterable<TrackRecord>): boolean {
  const { run } = own;
  if (!run || run.length < SHORTEST_RUN) return false;
  let completed = 0;
  let failed = 0;
  for (const other of others) {
    const seen = other.since(run.since);
    completed += seen.completed;
    failed += seen.failed;
  }
  if (completed === 0) return false;
  const risk = (failed + 1) / (failed + completed + 2);
  return risk ** run.length < CHANCE;
}
