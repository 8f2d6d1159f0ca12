/** One period of leadership: everything that decides lives as long as this, and no longer. */
export interface Term {
  /** Number of the term; only rows under the newest one may be written. */
  readonly epoch: number;
  /**
   * Ends it: the process stops leading at once and, if it leads again, restores itself from the
   * rows. Called when the lease is lost, or when memory and rows disagree.
   */
  end(reason: string): void;
}

/** Injection token of the present term. */
export const TERM = Symbol('Term');
