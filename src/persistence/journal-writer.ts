import { setTimeout as sleep } from 'node:timers/promises';
import { WriteInterrupted, type JournalLane } from './journal-lane';
import { rowCount, type TaskRows } from './journal-rows';
import type { Twins } from './journal-transaction';
import type { Log } from './log';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1_000;
/** A deadlock is over with the next try; what fails more often than this is an outage. */
const FAILURES_OF_AN_OUTAGE = 2;

/** Writes batches on a lane, each one for as long as it takes until its outcome is known. */
export class JournalWriter {
  readonly counts = { flushes: 0, rows: 0, lastFlushMs: 0 };
  private struggling = false;

  /** @param onOutage the batch under way does not get through; called again with every failure */
  constructor(
    private readonly lane: JournalLane,
    private readonly logger: Log,
    private readonly onOutage: () => void,
  ) {}

  /** The batch under way does not get through. */
  get isStruggling(): boolean {
    return this.struggling;
  }

  /**
   * Writes the rows of many tasks, one set per task; repeats while the outcome is open.
   * @returns the tasks that were left out because their client's id was taken
   * @throws {RowsRefused} {TermEnded} {RowsMismatch} {LaneClosed}
   */
  async write(rows: readonly TaskRows[]): Promise<Twins> {
    const doubt: Doubt = { mayBeThere: false, verdict: undefined };
    for (let failures = 0; ;) {
      try {
        await this.lane.whenOpen();
        const twins = await this.tryOnce(rows, doubt);
        this.count(rows);
        this.struggling = false;
        return twins;
      } catch (error) {
        if (error instanceof WriteInterrupted) {
          doubt.mayBeThere ||= error.outcome === 'unknown';
          await this.recover(++failures, error);
        } else if (doubt.mayBeThere && doubt.verdict === undefined) {
          // The transaction we lost sight of may have come through only now: ask once more.
          doubt.verdict = { error };
        } else {
          this.struggling = false;
          throw error;
        }
      }
    }
  }

  private async tryOnce(rows: readonly TaskRows[], doubt: Doubt): Promise<Twins> {
    const known = doubt.mayBeThere ? await this.recorded(rows) : undefined;
    if (known) return known;
    if (doubt.verdict) throw doubt.verdict.error;
    const began = performance.now();
    const twins = await this.lane.write(rows);
    this.counts.lastFlushMs = performance.now() - began;
    return twins;
  }

  /** Reads back a batch whose answer was lost: undefined when it is not there. */
  private async recorded(rows: readonly TaskRows[]): Promise<Twins | undefined> {
    const found = await this.lane.findRecorded(rows);
    if (found.size === 0) return undefined;
    const births = rows.flatMap(({ birth }) => (birth && !found.has(birth.id) ? [birth] : []));
    return births.length === 0 ? new Map() : this.lane.findTwins(births);
  }

  private async recover(failures: number, error: WriteInterrupted): Promise<void> {
    if (failures >= FAILURES_OF_AN_OUTAGE || !this.lane.isOpen) {
      this.struggling = true;
      this.onOutage();
    }
    this.logger.warn({ msg: 'a batch of the journal is repeated', failures, error });
    const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
    await sleep(bound * Math.random());
  }

  private count(rows: readonly TaskRows[]): void {
    this.counts.flushes++;
    for (const one of rows) this.counts.rows += rowCount(one);
  }
}

/** What is not known of the batch that is being written. */
interface Doubt {
  /** It was sent, and what the server made of it is not known. */
  mayBeThere: boolean;
  /** How a repeat failed for good, unless it did so because the rows are there. */
  verdict: { readonly error: unknown } | undefined;
}
