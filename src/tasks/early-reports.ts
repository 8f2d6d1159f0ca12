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
/** The answer to an enqueue never takes longer than this to arrive, in ms. */
const KEPT_MS = 60_000;

/**
 * Completions that arrived before the answer to the enqueue that caused them. They are applied
 * when the worker's id becomes known, and dropped when it does not.
 */
export class EarlyReports {
  private readonly kept = new Map<string, EndReport & { readonly at: Instant }>();
  private readonly counts = new Map<InstanceId, number>();

  /** @returns false when this instance has too many of them already */
  keep(instanceId: InstanceId, remoteId: string, report: EndReport, now: Instant): boolean {
    this.dropOld(now);
    const count = this.counts.get(instanceId) ?? 0;
    if (count >= MOST_PER_INSTANCE) return false;
    const key = keyOf(instanceId, remoteId);
    if (!this.kept.has(key)) this.counts.set(instanceId, count + 1);
    this.kept.set(key, { ...report, at: now });
    return true;
  }

  /** The report about this id, once. */
  take(instanceId: InstanceId, remoteId: string): EndReport | undefined {
    const key = keyOf(instanceId, remoteId);
    const report = this.kept.get(key);
    if (report) this.drop(key);
    return report;
  }

  private dropOld(now: Instant): void {
    for (const [key, { at }] of this.kept) {
      if (at + KEPT_MS > now) return;
      this.drop(key);
    }
  }

  private drop(key: string): void {
    this.kept.delete(key);
    const instanceId = key.slice(0, key.indexOf('/')) as InstanceId;
    const left = (this.counts.get(instanceId) ?? 1) - 1;
    if (left > 0) this.counts.set(instanceId, left);
    else this.counts.delete(instanceId);
  }
}

function keyOf(instanceId: InstanceId, remoteId: string): string {
  return `${instanceId}/${remoteId}`;
}
