import { Heap } from 'heap-js';
import type { Clock } from '../core/ports';
import type { Engine, EngineOutcome, EngineTask, ServiceEstimate } from './engine';
import { Fifo } from './fifo';
import type { Execution, TaskRecord } from './task-record';

/** One slot: executes one task at a time. */
interface Replica {
  readonly id: string;
  /** What it executes, and the way to make it stop; null while it is free. */
  busy: { readonly record: TaskRecord; readonly controller: AbortController } | null;
  /** Told to stop: it finishes what it has and takes nothing more. */
  retired: boolean;
}

/** When a slot is free again, from now: mean in ms and variance in ms². */
interface FreeSlot {
  readonly meanMs: number;
  readonly variance: number;
}

/** One first-in-first-out queue in front of any number of equal replicas. */
export class WorkQueue {
  private readonly line = new Fifo<TaskRecord>();
  private replicas: Replica[] = [];
  private readonly free: Replica[] = [];
  /** Every replica that executes, retired ones included. */
  private readonly busy = new Set<Replica>();
  private started = 0;
  private waitingCharacters = 0;

  /** @param ended called once per execution that came to its end, not for one that was given up. */
  constructor(
    private readonly engine: Engine,
    private readonly clock: Clock,
    private readonly ended: (record: TaskRecord, execution: Execution) => void,
  ) {}

  /** Tasks that wait for a replica. */
  get waiting(): number {
    return this.line.length;
  }

  /** Size of the waiting tasks' inputs and metadata as JSON text. */
  get waitingSize(): number {
    return this.waitingCharacters;
  }

  /** Tasks in execution, those of retired replicas included. */
  get running(): number {
    return this.busy.size;
  }

  /** True when a task that came now would start at once. */
  get hasFreeReplica(): boolean {
    return this.free.length > 0;
  }

  /** Replicas that take work. */
  get replicasRunning(): number {
    return this.replicas.length;
  }

  /** Takes the task in; it starts at once when a replica is free. */
  push(record: TaskRecord): void {
    this.line.push(record);
    this.waitingCharacters += record.identity.size;
    this.fill();
  }

  /** Adds replicas, which take waiting tasks at once. */
  startReplicas(count: number): void {
    for (let n = 0; n < count; n += 1) {
      this.started += 1;
      const replica: Replica = { id: `replica-${this.started}`, busy: null, retired: false };
      this.replicas.push(replica);
      this.free.push(replica);
    }
    this.fill();
  }

  /**
   * Takes replicas away (all when `count` is null), free ones first, and returns their ids. One
   * that is executing finishes its task.
   */
  stopReplicas(count: number | null): string[] {
    const inOrder = [...this.replicas].sort(
      (a, b) => Number(a.busy !== null) - Number(b.busy !== null),
    );
    const stopped = new Set(inOrder.slice(0, count ?? inOrder.length));
    for (const replica of stopped) replica.retired = true;
    this.replicas = this.replicas.filter((replica) => !stopped.has(replica));
    const stillFree = this.free.filter((replica) => !stopped.has(replica));
    this.free.splice(0, this.free.length, ...stillFree);
    return [...stopped].map((replica) => replica.id);
  }

  /**
   * How long a task that came now would wait before it starts, in real ms, and the standard
   * deviation of that: the waiting tasks are dealt out in order, each to the slot that frees first.
   * Without replicas: the sum of all waiting work.
   */
  predict(): ServiceEstimate {
    const slots = new Heap<FreeSlot>((a, b) => a.meanMs - b.meanMs);
    const now = this.clock.now();
    for (const { busy } of this.replicas) {
      slots.push(busy === null ? { meanMs: 0, variance: 0 } : remaining(busy.record, now));
    }
    if (slots.length === 0) slots.push({ meanMs: 0, variance: 0 });
    for (const record of this.line) {
      const first = slots.peek() ?? { meanMs: 0, variance: 0 };
      const { expectedMs, errorMs } = record.estimate;
      slots.replace({
        meanMs: first.meanMs + expectedMs,
        variance: first.variance + errorMs ** 2,
      });
    }
    const next = slots.peek() ?? { meanMs: 0, variance: 0 };
    return { expectedMs: next.meanMs, errorMs: Math.sqrt(next.variance) };
  }

  /** Gives up everything, running and waiting, without an outcome; returns how many tasks that was. */
  abandon(): number {
    for (const { busy } of this.busy) busy?.controller.abort();
    return this.busy.size + this.abandonWaiting();
  }

  /** Gives up what waits, without an outcome; returns how many tasks that was. */
  abandonWaiting(): number {
    const abandoned = this.line.length;
    this.line.clear();
    this.waitingCharacters = 0;
    return abandoned;
  }

  private fill(): void {
    while (this.free.length > 0 && this.line.length > 0) {
      const replica = this.free.shift();
      const record = this.line.shift();
      if (replica === undefined || record === undefined) return;
      this.waitingCharacters -= record.identity.size;
      this.start(replica, record);
    }
  }

  private start(replica: Replica, record: TaskRecord): void {
    const controller = new AbortController();
    replica.busy = { record, controller };
    this.busy.add(replica);
    const task = record.start(replica.id, this.clock);
    void this.outcomeOf(task, controller.signal).then((outcome) => {
      if (outcome !== null) this.ended(record, record.finish(outcome, this.clock));
      this.busy.delete(replica);
      replica.busy = null;
      if (!replica.retired) this.free.push(replica);
      this.fill();
    });
  }

  /** Null when the execution was given up. Never rejects. */
  private async outcomeOf(task: EngineTask, signal: AbortSignal): Promise<EngineOutcome | null> {
    try {
      return await this.engine.run(task, signal);
    } catch (error) {
      if (signal.aborted) return null;
      const reason = error instanceof Error ? error.message : String(error);
      return { ok: false, error: `engine ${this.engine.name}: ${reason}` };
    }
  }
}

function remaining(record: TaskRecord, now: ReturnType<Clock['now']>): FreeSlot {
  const { expectedMs, errorMs } = record.estimate;
  // One that outlasts its estimate may end at any moment.
  return { meanMs: Math.max(0, expectedMs - record.elapsedMs(now)), variance: errorMs ** 2 };
}
