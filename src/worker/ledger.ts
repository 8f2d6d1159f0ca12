import type { SyncedLines } from '../ops/synced-lines';

/** One execution, as the ledger keeps it. Times are Unix seconds. */
export interface LedgerEntry {
  /** The scheduler's ids of the task and of the attempt; null when the caller told none. */
  readonly task_id: string | null;
  readonly dispatch_id: string | null;
  /** This worker's own id of the task. */
  readonly remote_id: string;
  readonly worker: string;
  readonly started_at: number;
  readonly finished_at: number;
  readonly ok: boolean;
}

/** One line per execution, on the disk before anyone is told of the execution. */
export type Ledger = SyncedLines<LedgerEntry>;
