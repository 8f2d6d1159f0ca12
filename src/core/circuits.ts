import type { Held } from './backlog';
import type { CircuitLimits } from './circuit';
import type { Instance } from './instance';
import type { InstanceDirectory } from './instance-directory';
import type { Clock } from './ports';
import type { Attempt, FailureKind, Outcome } from './task';
import { isOutlier, type TrackRecord } from './track-record';
import { after, type Instant } from './units';

/**
 * Failures that may be the worker's: also that it does not take a task which others complete. Tasks
 * that are bad themselves fail everywhere, and accuse nobody.
 */
const SPEAKS_OF_WORKER: ReadonlySet<FailureKind> = new Set<FailureKind>([
  'worker_error',
  'start_error',
]);

/** A circuit changed: for the log and the figures. */
export interface CircuitNotice {
  readonly instance: Instance;
  readonly state: 'open' | 'quarantined' | 'closed';
  /** How long it gets nothing, in ms; 0 when it is closed. */
  readonly pauseMs: number;
}

/** What circuits are made with. */
export interface CircuitOptions {
  readonly clock: Clock;
  readonly circuit: CircuitLimits;
  /** Told when the circuit of an instance opens or closes. */
  readonly notice: (notice: CircuitNotice) => void;
}

/**
 * Keeps new work from instances on which it would be wasted: those that are busy, those whose
 * starts go wrong, and those that fail what others complete. Silence is another matter (`Health`).
 */
export class Circuits {
  private readonly resting = new Set<Instance>();

  /** @param changed called when an instance may be given more, or less, than before */
  constructor(
    private readonly instances: InstanceDirectory,
    private readonly options: CircuitOptions,
    private readonly changed: (instance: Instance) => void,
  ) {}

  /** The instance took a start. */
  accepted(instance: Instance): void {
    if (instance.circuit.accepted()) this.close(instance);
  }

  /** A start there went wrong, and not for the task's sake. */
  faulted(instance: Instance, { reservedAt }: Attempt): void {
    const opened = instance.circuit.faulted(reservedAt, this.now, this.options.circuit);
    this.watch(instance);
    if (opened) this.announce(instance);
  }

  /** The instance asks to be left alone for that long, or is better left alone. */
  rest(instance: Instance, ms: number): void {
    instance.circuit.rest(after(this.now, ms));
    this.watch(instance);
  }

  /** Somebody has seen to the instance: one that is kept from work is tried at once. */
  retry(instance: Instance): void {
    instance.circuit.retry(this.now);
    this.changed(instance);
  }

  /** An attempt there ended by its worker's word. */
  ended({ attempt }: Held, outcome: Outcome): void {
    const instance = this.instances.get(attempt.instanceId);
    if (!instance) return;
    if (outcome.kind === 'succeeded') this.succeeded(instance);
    else if (SPEAKS_OF_WORKER.has(outcome.failure)) this.failed(instance, attempt);
  }

  /** When the next rest is over; undefined when nobody rests. */
  nextDue(): Instant | undefined {
    let next: Instant | undefined;
    for (const { circuit } of this.resting) {
      if (next === undefined || circuit.restsUntil < next) next = circuit.restsUntil;
    }
    return next;
  }

  /** Takes note of the rests that are over. */
  wakeRested(): void {
    for (const instance of this.resting) {
      if (instance.circuit.restsUntil > this.now) continue;
      this.resting.delete(instance);
      this.changed(instance);
    }
  }

  private succeeded(instance: Instance): void {
    instance.record.note(false, this.now);
    if (instance.circuit.succeeded()) this.close(instance);
  }

  private failed(instance: Instance, attempt: Attempt): void {
    instance.record.note(true, this.now);
    if (!this.condemns(instance, attempt)) return;
    instance.circuit.quarantine(this.now, this.options.circuit);
    this.watch(instance);
    this.announce(instance);
  }

  /** A trial that fails ends in quarantine again, whatever the others do meanwhile. */
  private condemns(instance: Instance, { reservedAt }: Attempt): boolean {
    const { circuit, record } = instance;
    if (circuit.isQuarantined) return circuit.isTrial(reservedAt);
    return isOutlier(record, this.recordsOfPeers(instance));
  }

  /** The records of the other instances of its queue. */
  private *recordsOfPeers({ id, queue }: Instance): Iterable<TrackRecord> {
    for (const peer of this.instances.all.values()) {
      if (peer.queue === queue && peer.id !== id) yield peer.record;
    }
  }

  private get now(): Instant {
    return this.options.clock.now();
  }

  private watch(instance: Instance): void {
    this.resting.add(instance);
    this.changed(instance);
  }

  private close(instance: Instance): void {
    this.changed(instance);
    this.options.notice({ instance, state: 'closed', pauseMs: 0 });
  }

  private announce(instance: Instance): void {
    const { restsUntil, isQuarantined } = instance.circuit;
    const state = isQuarantined ? 'quarantined' : 'open';
    this.options.notice({ instance, state, pauseMs: restsUntil - this.now });
  }
}
