import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { SchedulerError } from '../core/errors';
import type { Clock } from '../core/ports';
import type { Engine, EngineTask, ServiceEstimate } from './engine';
import type { Ledger } from './ledger';
import type { Report } from './reporter';
import { TaskBook, type ForgottenAttempt } from './task-book';
import { TaskRecord, type Execution, type Receipt } from './task-record';
import { reportJson } from './wire';
import { MOST_REPLICAS } from './worker-options';
import { WorkQueue } from './work-queue';
import type { WorkerIdentity } from './worker-identity';
import type { JsonObject } from '../http/dto-fields';

/** A task that arrives. */
export interface Arrival {
  readonly input: JsonObject;
  readonly metadata: JsonObject;
  /** The scheduler's id of the task, where it is told; `metadata.task_id` is read first. */
  readonly taskId: string | null;
  /** The model that the task is for; null: whatever this worker serves. */
  readonly model: string | null;
}

/** Where reports go; resolves when the report was delivered or given up. */
export interface ReportDesk {
  readonly pending: number;
  deliver(report: Report): Promise<boolean>;
}

/** How much a worker takes in before it says no. */
export interface RunnerLimits {
  /** Tasks that wait or whose end is not yet reported. */
  readonly tasks: number;
  /** Size of the waiting tasks as JSON text, in characters. */
  readonly size: number;
}

const DEFAULT_LIMITS: RunnerLimits = { tasks: 50_000, size: 256 * 1024 * 1024 };
/** When a caller may come back: another task has certainly ended by then, or another worker is better. */
const RETRY_AFTER_SECONDS = 5;

/** 31 years: whatever a task says of itself, sums and squares of it have to stay numbers. */
const MOST_EXPECTED_MS = 1e12;

/** What a runner is made of. */
export interface RunnerParts {
  readonly identity: WorkerIdentity;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Logger;
  /** Null: executions are not kept in a file. */
  readonly ledger: Ledger | null;
  /** Null: nobody is told. */
  readonly reports: ReportDesk | null;
  /** Told when an execution could not be written to the ledger; the worker must end then. */
  readonly ledgerFailed: (error: unknown) => void;
  /** Default: 50 000 tasks and 256 Mi characters. */
  readonly limits?: RunnerLimits;
}

/**
 * Takes tasks in, has them executed, and tells of their end: first to the ledger, and only when
 * that is on the disk to anyone who asks and to the scheduler.
 */
export class TaskRunner {
  private readonly queue: WorkQueue;
  private readonly book = new TaskBook();
  private readonly limits: RunnerLimits;
  private readonly waiters: (() => void)[] = [];
  /** Executions that ended and are not yet in the ledger. */
  private settling = 0;
  private isDraining = false;

  constructor(
    private readonly parts: RunnerParts,
    replicas: number,
  ) {
    this.limits = parts.limits ?? DEFAULT_LIMITS;
    this.queue = new WorkQueue(parts.engine, parts.clock, (record, execution) => {
      this.settling += 1;
      void this.settle(record, execution);
    });
    this.queue.startReplicas(replicas);
  }

  /** Work per ms of its engine. */
  get speed(): number {
    return this.parts.engine.speed;
  }

  /** Replicas that were started and not stopped. */
  get replicas(): number {
    return this.queue.replicasRunning;
  }

  /** Replicas that could execute something now: none during an outage of the engine. */
  get usableReplicas(): number {
    return this.parts.engine.outage === null ? this.replicas : 0;
  }

  /** The model that is served; null when there is neither a replica nor a task of it. */
  get model(): string | null {
    const { waiting, running } = this.queue;
    return this.replicas + waiting + running > 0 ? this.parts.identity.model : null;
  }

  /** Tasks that wait for a replica. */
  get waiting(): number {
    return this.queue.waiting;
  }

  get draining(): boolean {
    return this.isDraining;
  }

  /** True while there is a task that waits, runs, or whose end the scheduler does not know yet. */
  get busy(): boolean {
    const reporting = this.parts.reports?.pending ?? 0;
    return this.queue.waiting + this.queue.running + this.settling + reporting > 0;
  }

  /**
   * Queues the task. A repeat of an attempt that is known by its dispatch id is answered as the
   * first time, and not executed again.
   * @throws {SchedulerError} no_capacity while draining, without replicas, or during an outage of
   * the engine; queue_full above the limits; wrong_model when the task is for another model;
   * invalid_input for an unusable dispatch id.
   */
  enqueue(arrival: Arrival): Receipt {
    const dispatchId = dispatchIdOf(arrival.metadata);
    if (dispatchId !== null) {
      const known = this.book.findAttempt(dispatchId);
      if (known !== undefined) return receiptOf(known);
    }
    const size = JSON.stringify(arrival.input).length + JSON.stringify(arrival.metadata).length;
    this.refuseIfImpossible(arrival, size);
    const { clock, engine, identity: worker } = this.parts;
    const taskId = taskIdOf(arrival);
    const remoteId = randomUUID();
    const receipt = {
      remoteId,
      queueSize: this.queue.hasFreeReplica ? 0 : this.queue.waiting + 1,
      enqueuedWallMs: clock.wallMs(),
    };
    const task: EngineTask = {
      id: taskId ?? remoteId,
      dispatchId,
      model: worker.model,
      input: arrival.input,
      metadata: arrival.metadata,
    };
    const identity = { receipt, taskId, dispatchId, size };
    const record = new TaskRecord(identity, task, bounded(engine.estimate(task)), clock.now());
    this.book.add(record);
    this.queue.push(record);
    return receipt;
  }

  /** The wait in real ms that a task would have that came now, before it starts. */
  predict(): ServiceEstimate {
    return this.queue.predict();
  }

  /** The task with this id of ours; undefined when it is not known (any more). */
  find(remoteId: string): TaskRecord | undefined {
    return this.book.find(remoteId);
  }

  /**
   * The attempt with this id of the scheduler's. Undefined proves that this process never had it,
   * up to 100 000 attempts after its result was dropped.
   */
  findAttempt(dispatchId: string): TaskRecord | ForgottenAttempt | undefined {
    return this.book.findAttempt(dispatchId);
  }

  /** Every known task, the oldest first. */
  tasks(): Iterable<TaskRecord> {
    return this.book.all();
  }

  /**
   * Adds replicas of the model.
   * @throws {SchedulerError} forbidden_transition while draining, when another model still has
   * replicas or tasks, and when there would be more than `MOST_REPLICAS`.
   */
  startModels(model: string, count: number): void {
    const refusal = this.whyNotStart(model, count);
    if (refusal !== null) {
      const message = `model ${model} cannot start ${count} replica(s): ${refusal}`;
      throw new SchedulerError('forbidden_transition', message);
    }
    this.parts.identity.model = model;
    this.queue.startReplicas(count);
  }

  /** Takes replicas away, all when `count` is null; what they execute is finished. Returns their ids. */
  stopModels(count: number | null): string[] {
    const stopped = this.queue.stopReplicas(count);
    if (this.isDraining) this.giveUpStranded();
    return stopped;
  }

  /** Refuses new tasks from here on, and gives up those that wait when no replica can take them. */
  drain(): void {
    this.isDraining = true;
    this.giveUpStranded();
  }

  /** Resolves when nothing is left to execute, to write down or to report. */
  whenDone(): Promise<void> {
    if (!this.busy) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiters.push(resolve);
    });
  }

  /** Gives up what waits and runs; returns how many tasks that was. */
  abandon(): number {
    return this.queue.abandon();
  }

  private whyNotStart(model: string, count: number): string | null {
    const { replicas, queue } = this;
    if (this.isDraining) return 'the worker is draining';
    if (this.model !== null && this.model !== model) {
      const left = `${replicas} replicas, ${queue.running} running and ${queue.waiting} waiting tasks`;
      return `${this.model} still has ${left}; stop it first and let its tasks end`;
    }
    if (replicas + count <= MOST_REPLICAS) return null;
    return `there are ${replicas} already; allowed are ${MOST_REPLICAS} in all`;
  }

  private refuseIfImpossible(arrival: Arrival, size: number): void {
    const retryAfterSeconds = RETRY_AFTER_SECONDS;
    const { instanceId: name, model } = this.parts.identity;
    if (this.isDraining) {
      throw new SchedulerError('no_capacity', `worker ${name} is draining`, { retryAfterSeconds });
    }
    if (arrival.model !== null && arrival.model !== model) {
      const message = `worker ${name} serves model ${model}, not ${arrival.model}`;
      throw new SchedulerError('wrong_model', message);
    }
    const { outage } = this.parts.engine;
    if (this.replicas === 0 || outage !== null) {
      const why = outage ?? 'it has no replicas; POST /models/start adds some';
      const message = `worker ${name} can execute nothing: ${why}`;
      throw new SchedulerError('no_capacity', message, { retryAfterSeconds });
    }
    const held = this.queue.waiting + (this.parts.reports?.pending ?? 0);
    if (held >= this.limits.tasks || this.queue.waitingSize + size > this.limits.size) {
      const limits = `at most ${this.limits.tasks} tasks and ${this.limits.size} characters`;
      const message = `worker ${name} is full: ${held} tasks wait or are unreported; ${limits}`;
      throw new SchedulerError('queue_full', message, { retryAfterSeconds });
    }
  }

  private async settle(record: TaskRecord, execution: Execution): Promise<void> {
    const { ledger, reports, log, identity } = this.parts;
    const { taskId, dispatchId } = record.identity;
    try {
      await ledger?.append({
        task_id: taskId,
        dispatch_id: dispatchId,
        remote_id: record.remoteId,
        worker: identity.instanceId,
        started_at: execution.startedWallMs / 1000,
        finished_at: execution.finishedWallMs / 1000,
        ok: execution.ok,
      });
    } catch (error) {
      // Not in the ledger, so nobody may hear of it: the scheduler will run the task elsewhere.
      this.parts.ledgerFailed(error);
      return;
    }
    record.settle(execution);
    const { remoteId } = record;
    log.debug({ event: 'executed', remoteId, taskId, dispatchId, ok: execution.ok }, 'executed');
    const told = reports?.deliver({
      remoteId,
      body: () => reportJson(record, execution, identity.instanceId),
    });
    this.settling -= 1;
    await told;
    this.book.reported(record);
    this.tellIfDone();
  }

  /** While draining no replica is started any more: without one, what waits would wait for ever. */
  private giveUpStranded(): void {
    if (this.replicas > 0 || this.waiting === 0) return;
    const abandoned = this.queue.abandonWaiting();
    this.parts.log.warn({ event: 'given_up', abandoned }, 'no replica for what waits');
    this.tellIfDone();
  }

  private tellIfDone(): void {
    if (!this.busy) for (const resolve of this.waiters.splice(0)) resolve();
  }
}

function bounded({ expectedMs, errorMs }: ServiceEstimate): ServiceEstimate {
  return {
    expectedMs: Math.min(expectedMs, MOST_EXPECTED_MS),
    errorMs: Math.min(errorMs, MOST_EXPECTED_MS),
  };
}

function receiptOf(known: TaskRecord | ForgottenAttempt): Receipt {
  return known instanceof TaskRecord ? known.identity.receipt : known.receipt;
}

/** Null when the caller has none; a foreign client may use the name for something else. */
function taskIdOf(arrival: Arrival): string | null {
  const told = arrival.metadata['task_id'];
  return typeof told === 'string' ? told : arrival.taskId;
}

function dispatchIdOf(metadata: JsonObject): string | null {
  const told = metadata['dispatch_id'] ?? null;
  if (told === null || (typeof told === 'string' && told !== '')) return told;
  const msg = `metadata.dispatch_id is ${JSON.stringify(told).slice(0, 80)}; a non-empty string is needed`;
  const fault = { loc: ['body', 'metadata', 'dispatch_id'], msg, type: 'type' };
  throw new SchedulerError('invalid_input', msg, { faults: [fault] });
}
