import { Fifo } from './fifo';
import type { Receipt, TaskRecord } from './task-record';

/** What is still known of an attempt whose result is no longer kept. */
export interface ForgottenAttempt {
  readonly receipt: Receipt;
  readonly ok: boolean;
}

/** How much the book keeps. */
export interface TaskBookLimits {
  /** Reported results kept, and the size of their JSON text in characters. */
  readonly results: number;
  readonly resultSize: number;
  /** Attempts that are remembered by their dispatch id after their result has gone. */
  readonly forgotten: number;
}

const DEFAULT_LIMITS: TaskBookLimits = {
  results: 10_000,
  resultSize: 64 * 1024 * 1024,
  forgotten: 100_000,
};

/**
 * Every task of this process life, by its own id and by the scheduler's id of the attempt. Results
 * that were reported are kept within limits, the oldest go first; one that is not yet reported is
 * never dropped. What remains of a dropped one is enough to answer a repeat of its enqueue.
 */
export class TaskBook {
  private readonly byRemoteId = new Map<string, TaskRecord>();
  private readonly byDispatchId = new Map<string, TaskRecord>();
  private readonly forgotten = new Map<string, ForgottenAttempt>();
  private readonly reportedOnes = new Fifo<TaskRecord>();
  private reportedSize = 0;

  constructor(private readonly limits: TaskBookLimits = DEFAULT_LIMITS) {}

  add(record: TaskRecord): void {
    this.byRemoteId.set(record.remoteId, record);
    const { dispatchId } = record.identity;
    if (dispatchId !== null) this.byDispatchId.set(dispatchId, record);
  }

  find(remoteId: string): TaskRecord | undefined {
    return this.byRemoteId.get(remoteId);
  }

  findAttempt(dispatchId: string): TaskRecord | ForgottenAttempt | undefined {
    return this.byDispatchId.get(dispatchId) ?? this.forgotten.get(dispatchId);
  }

  /** All tasks that are known, the oldest first. */
  all(): Iterable<TaskRecord> {
    return this.byRemoteId.values();
  }

  /** Nobody waits for this result any more: from here on it may be dropped. */
  reported(record: TaskRecord): void {
    this.reportedOnes.push(record);
    this.reportedSize += resultSize(record);
    while (
      this.reportedOnes.length > this.limits.results ||
      this.reportedSize > this.limits.resultSize
    ) {
      const oldest = this.reportedOnes.shift();
      if (oldest === undefined) return;
      this.drop(oldest);
    }
  }

  private drop(record: TaskRecord): void {
    this.reportedSize -= resultSize(record);
    this.byRemoteId.delete(record.remoteId);
    const { dispatchId, receipt } = record.identity;
    if (dispatchId === null || record.phase.kind !== 'settled') return;
    this.byDispatchId.delete(dispatchId);
    this.forgotten.set(dispatchId, { receipt, ok: record.phase.execution.ok });
    if (this.forgotten.size <= this.limits.forgotten) return;
    const [oldest] = this.forgotten.keys();
    if (oldest !== undefined) this.forgotten.delete(oldest);
  }
}

function resultSize({ phase }: TaskRecord): number {
  if (phase.kind !== 'settled') return 0;
  return phase.execution.resultJson?.length ?? 0;
}
