/**
 * Runs pieces of work one after the other, in the order in which they were asked for: what is
 * written first must not be the last to be seen. A failure is its own piece's alone.
 */
export class InTurn {
  private last: Promise<unknown> = Promise.resolve();

  /** @returns what the work returns, once it had its turn */
  run<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.last.then(work);
    this.last = mine.catch(() => undefined);
    return mine;
  }
}
