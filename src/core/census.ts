import type { Readiness, Unfit } from './instance';

/** Why an instance that is there gets no task, in the order in which counts are told. */
const REASONS: readonly Unfit[] = [
  'draining',
  'lost',
  'suspect',
  'no_replicas',
  'too_small',
  'resting',
  'circuit_open',
  'quarantined',
  'paused',
];

/** How many instances of a queue stand how towards its next task: counted as they change. */
export class Census {
  private readonly counts = new Map<Readiness, number>();

  /** How many could be given a task now. */
  get open(): number {
    return this.of('free') + this.of('ahead');
  }

  /** How many a task could be bound to, busy or not. */
  get fit(): number {
    return this.open + this.of('busy');
  }

  of(readiness: Readiness): number {
    return this.counts.get(readiness) ?? 0;
  }

  /** An instance stands otherwise than before; null is not in the queue. */
  move(from: Readiness | null, to: Readiness | null): void {
    if (from === to) return;
    if (from !== null) this.counts.set(from, this.of(from) - 1);
    if (to !== null) this.counts.set(to, this.of(to) + 1);
  }

  /** How many get no task, by reason; none that nobody has. */
  unfit(): Record<string, number> {
    const unfit: Record<string, number> = {};
    for (const reason of REASONS) {
      const count = this.of(reason);
      if (count > 0) unfit[reason] = count;
    }
    return unfit;
  }
}
