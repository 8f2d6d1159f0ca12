import { Heap } from 'heap-js';
import type { Held } from '../core/backlog';
import type { Distribution, Moments } from '../core/distribution';
import { Fleet } from '../core/fleet';
import type { Random } from '../core/ports';
import { INSTANCE_KIND_OF, NO_TRAITS, type Instance } from '../core/instance';
import { BATCH_QUEUE, queueKey } from '../core/queue';
import { waitsOf } from '../core/queue-waits';
import { NOTHING, ONE_SLOT } from '../core/resources';
import type { PlacementStrategy, StrategyCatalog } from '../core/strategy';
import type { Change, JobNeeds, TaskDraft } from '../core/task';
import {
  instanceId,
  instant,
  taskId,
  type InstanceId,
  type Instant,
  type QueueKey,
} from '../core/units';
import type { SimulatedInstance } from './fleets';
import { SimulatedClock } from './simulated-clock';
import type { SimulatedTask } from './workload';

/** Says how long a task will run, and learns from those that have ended. */
export interface SimulatedPredictor {
  predict(task: SimulatedTask): Distribution;
  /** A task has ended. */
  learn?(task: SimulatedTask): void;
}

/** A strategy of which the simulation tells the ends of tasks too, as some baselines need. */
export type SimulatedStrategy = PlacementStrategy & {
  ended?(on: InstanceId, actualMs: number): void;
};

/** What is simulated. */
export interface SimulationOptions {
  /** In the order of arrival. */
  readonly tasks: readonly SimulatedTask[];
  readonly fleet: readonly SimulatedInstance[];
  readonly strategy: SimulatedStrategy;
  /** Weight of the predicted service time in the order of the waiting line. */
  readonly orderG: number;
  /** Tasks that may be at an instance above its slots. Default 0. */
  readonly prefetch?: number;
  readonly predictor: SimulatedPredictor;
  readonly random: Random;
  /** Notes what would be told of the waits at every n-th arrival. Default: never, since it costs time. */
  readonly tellEvery?: number;
  /** How long a job without a limit is taken to run, in ms. Default 24 h. */
  readonly assumedLimitMs?: number;
  /** Told now and then how many tasks have ended. */
  readonly onProgress?: (ended: number) => void;
}

/** What became of one task. Times in ms. */
export interface SimulatedRun {
  readonly task: SimulatedTask;
  readonly startMs: number;
  readonly endMs: number;
  /** Wait that `/queue/info` would have told on its arrival for the instance that it ran on, if noted. */
  readonly told: { readonly meanMs: number; readonly deviationMs: number } | null;
}

const MODEL_QUEUE = queueKey('model', 'simulated');
const DAY_MS = 24 * 3_600_000;
/** More placements than any wake of a simulation has. */
const ALL = Number.MAX_SAFE_INTEGER;
const PROGRESS_EVERY = 1_000;
const NEVER_REFUSED = { liveTasks: ALL, livePayloadBytes: ALL };
const NO_BACKOFF = { firstMs: 0, mostMs: 0 };
/** Nothing fails here. */
/** Nobody asks for a place only. */
const NO_PLACEMENTS = { suspectMs: ALL, landingMs: 0, retentionMs: ALL, most: 0 };
const NO_CIRCUIT = { faults: ALL, pause: NO_BACKOFF, quarantine: NO_BACKOFF };

interface Running {
  readonly held: Held;
  readonly endsAt: Instant;
}

/**
 * The scheduler's own core, strategies and predictors on a simulated clock: tasks arrive, run for
 * their true service time, and end. Nothing is lost and nothing fails here.
 */
export class Simulation {
  private readonly clock = new SimulatedClock();
  private readonly fleet: Fleet;
  private readonly running = new Heap<Running>((a, b) => a.endsAt - b.endsAt);
  private readonly begun = new Set<Held['attempt']>();
  private readonly tasks = new Map<string, SimulatedTask>();
  private readonly starts = new Map<string, number>();
  private readonly told = new Map<string, ReadonlyMap<InstanceId, Moments>>();
  private readonly runs: SimulatedRun[] = [];
  /** As they are, whatever the scheduler believes. */
  private readonly speeds = new Map<InstanceId, number>();
  private readonly key: QueueKey;
  private ids = 0;

  private constructor(private readonly options: SimulationOptions) {
    const { strategy, orderG, prefetch = 0, random, assumedLimitMs = DAY_MS } = options;
    this.key = options.fleet.some(({ host }) => host) ? BATCH_QUEUE : MODEL_QUEUE;
    this.fleet = new Fleet({
      clock: this.clock,
      random,
      ids: { next: () => String(++this.ids) },
      strategies: catalogOf(strategy),
      limits: NEVER_REFUSED,
      lossBackoff: NO_BACKOFF,
      refusalBackoff: NO_BACKOFF,
      circuit: NO_CIRCUIT,
      notice: () => undefined,
      batch: { strategy: strategy.name, assumedLimitMs },
      placements: NO_PLACEMENTS,
      defaults: {
        strategy: strategy.name,
        orderG,
        prefetch,
        limit: ALL,
        attemptTimeoutMs: ALL,
        paused: false,
      },
    });
    options.fleet.forEach((instance, n) => this.add(instance, n));
  }

  /** Runs all tasks to their end, and says when each of them started and ended. */
  static run(options: SimulationOptions): readonly SimulatedRun[] {
    return new Simulation(options).play();
  }

  private add({ name, speed, declared, slots, host }: SimulatedInstance, n: number): void {
    const instance = this.fleet.addInstance({
      // Strategies may go by the order of ids: it is the order of the fleet.
      id: instanceId(String(n).padStart(6, '0')),
      kind: INSTANCE_KIND_OF[host ? 'batch' : 'model'],
      queue: this.key,
      host: name,
      port: 1,
      name,
      protocol: 'enqueue',
      registration: 1,
      capacity: host?.capacity ?? { ...NOTHING, slots },
      ...(host && { traits: { ...NO_TRAITS, labels: labelled(host.labels) } }),
      notifies: true,
      drainAsked: false,
      health: 'online',
      lastContact: this.clock.now(),
      registeredWallMs: 0,
    });
    this.speeds.set(instance.id, speed);
    this.fleet.updateInstance(instance, { declaredSpeed: declared ?? speed });
  }

  private play(): readonly SimulatedRun[] {
    for (const task of this.options.tasks) {
      const arrival = instant(task.arrivalMs);
      for (let next = this.running.peek(); next && next.endsAt <= arrival;) {
        this.end();
        next = this.running.peek();
      }
      this.clock.advanceTo(arrival);
      this.arrive(task);
    }
    while (this.running.length > 0) this.end();
    return this.runs;
  }

  private arrive(task: SimulatedTask): void {
    const draft = this.draftOf(task);
    this.tasks.set(draft.id, task);
    const { tellEvery = Infinity } = this.options;
    if (task.index % tellEvery === 0) this.told.set(draft.id, this.waits());
    const submission = this.fleet.submit(draft);
    if (submission.kind !== 'accepted') throw new Error(`task ${task.index} was not taken`);
    this.begin(submission.changes);
    this.place();
  }

  /** What every instance would be said to make a task wait now. */
  private waits(): ReadonlyMap<InstanceId, Moments> {
    const queue = this.fleet.queues.get(this.key);
    return queue ? waitsOf(queue, this.clock.now()) : new Map();
  }

  private place(): void {
    this.begin(this.fleet.placeWaiting(ALL).changes);
  }

  private begin(changes: readonly Change[]): void {
    for (const { attempts } of changes) {
      for (const { instanceId: id } of attempts) {
        const instance = this.fleet.instances.get(id);
        if (instance) this.beginAt(instance);
      }
    }
  }

  /** Whatever has got a slot there ends after its true service time. */
  private beginAt(instance: Instance): void {
    for (const held of instance.backlog.held) {
      const { attempt } = held;
      if (attempt.runningSince === null || this.begun.has(attempt)) continue;
      this.begun.add(attempt);
      const { serviceMs } = this.taskOf(held);
      this.starts.set(attempt.taskId, attempt.runningSince);
      this.running.push({
        held,
        endsAt: instant(attempt.runningSince + serviceMs / this.speedOf(instance)),
      });
    }
  }

  private speedOf({ id }: Instance): number {
    return this.speeds.get(id) ?? 1;
  }

  private end(): void {
    const next = this.running.pop();
    if (!next) return;
    this.clock.advanceTo(next.endsAt);
    const { held } = next;
    const { instanceId: on } = held.attempt;
    const task = this.taskOf(held);
    const executionMs = this.clock.now() - (this.starts.get(held.task.id) ?? 0);
    this.record(held, task);
    this.begun.delete(held.attempt);
    this.fleet.course.ended(held, { kind: 'succeeded', executionMs });
    this.fleet.forget(held.task);
    this.options.strategy.ended?.(on, executionMs);
    this.options.predictor.learn?.(task);
    const instance = this.fleet.instances.get(on);
    if (instance) this.beginAt(instance);
    this.place();
  }

  private record({ task, attempt }: Held, simulated: SimulatedTask): void {
    const told = this.told.get(task.id)?.get(attempt.instanceId);
    const startMs = this.starts.get(task.id) ?? 0;
    this.runs.push({
      task: simulated,
      startMs,
      endMs: this.clock.now(),
      told: told ? { meanMs: told.mean, deviationMs: Math.sqrt(told.variance) } : null,
    });
    this.tasks.delete(task.id);
    this.told.delete(task.id);
    this.starts.delete(task.id);
    if (this.runs.length % PROGRESS_EVERY === 0) this.options.onProgress?.(this.runs.length);
  }

  private taskOf({ task }: Held): SimulatedTask {
    const simulated = this.tasks.get(task.id);
    if (!simulated) throw new Error(`task ${task.id} is not of this simulation`);
    return simulated;
  }

  private draftOf(task: SimulatedTask): TaskDraft {
    const { job } = task;
    return {
      // In the order of arrival, which decides between tasks that stand alike.
      id: taskId(`task-${String(task.index).padStart(9, '0')}`),
      kind: job ? 'batch' : 'model',
      clientId: null,
      queue: this.key,
      priority: 0,
      submittedAt: this.clock.now(),
      prediction: { serviceTime: this.options.predictor.predict(task), method: 'simulated' },
      demand: job?.demand ?? ONE_SLOT,
      job: job ? { ...NO_NEEDS, labels: labelled(job.labels) } : null,
      attemptTimeoutMs: job?.limitMs ?? Number.MAX_VALUE,
      maxAttempts: 1,
      payloadBytes: 0,
    };
  }
}

const NO_NEEDS: JobNeeds = { labels: {}, tool: '', tokens: 0, retryLimit: 0 };

/** Labels that have only a name. */
function labelled(names: readonly string[]): JobNeeds['labels'] {
  return Object.fromEntries(names.map((name) => [name, 'true']));
}

/** One simulation has one strategy, and one queue that uses it. */
function catalogOf(strategy: PlacementStrategy): StrategyCatalog {
  return {
    has: (name) => name === strategy.name,
    names: () => [strategy.name],
    create: () => strategy,
  };
}
