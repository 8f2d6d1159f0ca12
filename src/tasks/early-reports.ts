import type { Outcome } from '../core/task';
import type { InstanceId, Instant } from '../core/units';

/** A bare notification: the result is to be fetched from the worker. */
export const FETCH_RESULT = Symbol('fetch the result');

/** What a worker says about the end of an attempt. */
export interface EndReport {
  readonly outcome: Outcome;
  /** Raw JSON text of the result, or `FETCH_RESULT` when the worker only said that it is through. */
  readonly result: string | null | typeof FETCH_RESULT;
}

/** Reports that are kept per instance; a worker that reports nonsense cannot fill the memory. */
const MOST_PER_INSTANCE = 256;
/** Bytes of results that are kept, of all instances together. */
const MOST_BYTES = 32 * 1024 * 1024;
/** The answer to an enqueue never takes longer than this to arrive, in ms. */
const KEPT_MS = 60_000;

interface Kept extends EndReport {
  readonly at: Instant;
  readonly bytes: number;
}

/**
 * Completions that arrived before the answer to the enqueue that caused them. They are applied
 * when the worker's id becomes known, and dropped when it does not.
 */
export class EarlyReports {
  /** Oldest first. */
  private readonly kept = new Map<string, Kept>();
  private readonly counts = new Map<InstanceId, number>();
  private bytes = 0;

  /** @returns false when there is too much already, of this instance or of all */
  keep(instanceId: InstanceId, remoteId: string, report: EndReport, now: Instant): boolean {
    this.dropOld(now);
    const key = keyOf(instanceId, remoteId);
    const before = this.kept.get(key);
    const count = (this.counts.get(instanceId) ?? 0) - (before ? 1 : 0);
    const size = sizeOf(report);
    const total = this.bytes - (before?.bytes ?? 0) + size;
    if (count >= MOST_PER_INSTANCE || total > MOST_BYTES) return false;
    if (before) this.drop(key, before);
    this.kept.set(key, { ...report, at: now, bytes: size });
    this.counts.set(instanceId, count + 1);
    this.bytes = total;
    return true;
  }

  /** The report about this id, once. */
  take(instanceId: InstanceId, remoteId: string): EndReport | undefined {
    const key = keyOf(instanceId, remoteId);
    const report = this.kept.get(key);
    if (report) this.drop(key, report);
    return report;
  }

  /** Drops those that nobody asked for within a minute. */
  dropOld(now: Instant): void {
    for (const [key, report] of this.kept) {
      if (report.at + KEPT_MS > now) return;
      this.drop(key, report);
    }
  }

  private drop(key: string, { bytes }: Kept): void {
    this.kept.delete(key);
    this.bytes -= bytes;
    const instanceId = key.slice(0, key.indexOf('/')) as InstanceId;
    const left = (this.counts.get(instanceId) ?? 1) - 1;
    if (left > 0) this.counts.set(instanceId, left);
    else this.counts.delete(instanceId);
  }
}

function sizeOf({ result }: EndReport): number {
  return typeof result === 'string' ? Buffer.byteLength(result) : 0;
}

function keyOf(instanceId: InstanceId, remoteId: string): string {
  return `${instanceId}/${remoteId}`;
}
