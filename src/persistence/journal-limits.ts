/** How much the journal takes at once. */
export interface JournalLimits {
  /** Rows of one flush. Default 500. */
  readonly maxBatchRows: number;
  /** Bytes of one flush. Default 4 MiB. */
  readonly maxBatchBytes: number;
  /** Rows that may wait for PostgreSQL; three quarters of them when a new task comes. Default 50 000. */
  readonly maxBufferedRows: number;
  /** Bytes that may wait for PostgreSQL, likewise. Default 256 MiB. */
  readonly maxBufferedBytes: number;
}

const MIB = 1_048_576;

/** The limits that hold where none are given. */
export const JOURNAL_LIMITS: JournalLimits = Object.freeze({
  maxBatchRows: 500,
  maxBatchBytes: 4 * MIB,
  maxBufferedRows: 50_000,
  maxBufferedBytes: 256 * MIB,
});
