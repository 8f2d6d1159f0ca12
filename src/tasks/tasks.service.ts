import { Inject, Injectable } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { Clock, Ids } from '../core/ports';
import { queueKey, queueName } from '../core/queue';
import { ONE_SLOT } from '../core/resources';
import { isTerminal, type Task, type TaskKind, type TaskRequest } from '../core/task';
import { taskId } from '../core/units';
import { crashPoint } from '../ops/crash-points';
import { payloadText } from '../http/payload-text';
import { CLOCK, IDS } from '../ops/system';
import { PredictionsService } from '../predictions/predictions.service';
import type { Payload } from './payload-cache';
import { TaskHistory } from './task-history';
import { TaskIntake, whereabouts, type Receipt } from './task-intake';
import { TaskLifecycle } from './task-lifecycle';
import type { TaskView } from './task-view';

/** What a client wants to have run. Objects are kept as they were written, never looked into. */
export interface TaskSubmission {
  readonly kind: TaskKind;
  /** The model. */
  readonly queueName: string;
  /** The client's own id; a repeat of it returns the first answer. */
  readonly clientId: string | null;
  readonly taskInput: object;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Bytes that input and metadata may have as JSON. Default: as many as their request. */
  readonly limitBytes?: number;
}

/** Limits that hold for every task unless its metadata say otherwise. */
export interface TaskDefaults {
  /** Attempts that may lose their worker before a task fails. */
  readonly maxAttempts: number;
}

/** Token of the defaults. */
export const TASK_DEFAULTS = Symbol('TaskDefaults');

/** Seconds after which a client that was refused may try again. */
const RETRY_AFTER_SECONDS = 1;
/** Priorities beyond this are cut off: they order, they do not measure. */
const MOST_PRIORITY = 1_000;
/** No attempt may run longer than this: 30 days, in ms. */
const LONGEST_TIMEOUT_MS = 30 * 24 * 3_600_000;

/** Takes tasks in, and answers what became of them. */
@Injectable()
export class TasksService {
  constructor(
    private readonly fleet: Fleet,
    private readonly predictions: PredictionsService,
    private readonly intake: TaskIntake,
    private readonly lifecycle: TaskLifecycle,
    private readonly history: TaskHistory,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: Ids,
    @Inject(TASK_DEFAULTS) private readonly defaults: TaskDefaults,
  ) {}

  /**
   * Keeps a task and, if a slot is free, reserves it. The answer means that it is committed.
   * @throws {SchedulerError} body_too_large, no_instance, queue_full, store_unavailable
   */
  async submit(submission: TaskSubmission): Promise<Receipt> {
    crashPoint('submit:read');
    const payload = payloadOf(submission);
    const { queueName: model, metadata } = submission;
    const request = this.request(submission, payload);
    // Another service may be asked for the prediction. Whatever comes meanwhile is seen: the task is
    // admitted or declined after it, and reserved and handed to the journal in the same block.
    const admitted =
      this.fleet.declined(request) ??
      this.fleet.submit({
        ...request,
        prediction: await this.predictions.predict({ model, metadata }),
      });
    if (admitted.kind === 'accepted') return await this.intake.keep({ ...admitted, payload });
    if (admitted.kind === 'known') return this.intake.receiptFor(admitted.task);
    const earlier = await this.earlier(submission);
    if (earlier) return earlier;
    throw new SchedulerError(admitted.code, admitted.message, {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }

  /** By our own id, the client's, or the newest attempt that a worker gave this id, in this order. */
  async find(kind: TaskKind, ref: string): Promise<TaskView | undefined> {
    const named = this.fleet.findTask(kind, ref);
    if (named) return viewOfLive(named);
    return (await this.history.findNamed(kind, ref)) ?? this.findByRemoteId(kind, ref);
  }

  /** As `find`, whatever kind of task it is. */
  async findAny(ref: string): Promise<TaskView | undefined> {
    return (
      (await this.find('model', ref)) ??
      (await this.find('batch', ref)) ??
      this.find('placement', ref)
    );
  }

  /**
   * Cancels a live task, by any id under which `findAny` finds it. The answer means that it is
   * committed: a job that runs is `stopping` then. Undefined when there is no such task.
   * @throws {SchedulerError} forbidden_transition when it has ended; store_unavailable
   */
  async cancel(ref: string, why: string): Promise<TaskView | undefined> {
    const found = await this.findAny(ref);
    if (!found) return undefined;
    const task = this.fleet.tasks.get(found.id);
    const isCancelled = task !== undefined && (await this.lifecycle.stop(task, 'cancelled', why));
    const view = (await this.findAny(found.id)) ?? found;
    if (isCancelled || view.state === 'stopping') return view;
    const message = `task ${JSON.stringify(ref)} is ${view.state}: it has ended, and stays so`;
    throw new SchedulerError('forbidden_transition', message);
  }

  /** Several attempts may have that id, live and ended ones: the newest of them all is meant. */
  private async findByRemoteId(kind: TaskKind, ref: string): Promise<TaskView | undefined> {
    const held = this.fleet.attempts.byRemoteId(ref);
    const ended = await this.history.findByRemoteId(kind, ref);
    // The record may lag behind memory, but not by the time in which another task ended.
    const isNewer = held && ended && held.attempt.reservedAt > (ended.finishedWallMs ?? 0);
    if (held?.task.kind !== kind || (ended && !isNewer)) return ended;
    const { task } = held;
    return this.fleet.tasks.has(task.id) ? viewOfLive(task) : this.history.findNamed(kind, task.id);
  }

  /** The first answer to a task that has left memory. */
  private async earlier({ kind, clientId }: TaskSubmission): Promise<Receipt | undefined> {
    const view = clientId === null ? undefined : await this.history.find(kind, clientId);
    return view && { taskId: view.id, clientId: view.clientId, instanceId: view.instanceId };
  }

  private request(submission: TaskSubmission, payload: Payload): TaskRequest {
    const { kind, queueName: model, clientId } = submission;
    const queue = queueKey(kind, model);
    return {
      id: taskId(this.ids.next()),
      kind,
      clientId,
      queue,
      priority: priorityIn(submission.metadata),
      submittedAt: this.clock.now(),
      demand: ONE_SLOT,
      job: null,
      attemptTimeoutMs:
        timeoutIn(submission.metadata) ?? this.fleet.settingsFor(queue).attemptTimeoutMs,
      maxAttempts: this.defaults.maxAttempts,
      payloadBytes: bytesOf(payload),
    };
  }
}

/** @throws {SchedulerError} body_too_large */
function payloadOf({ taskInput, metadata, limitBytes = Infinity }: TaskSubmission): Payload {
  const payload = { taskInput: payloadText(taskInput), metadata: payloadText(metadata) };
  const bytes = bytesOf(payload);
  if (bytes <= limitBytes) return payload;
  const message = `task_input and metadata are ${bytes} bytes; allowed are ${limitBytes}`;
  throw new SchedulerError('body_too_large', message);
}

function bytesOf({ taskInput, metadata }: Payload): number {
  return Buffer.byteLength(taskInput) + Buffer.byteLength(metadata);
}

/** `metadata.priority`, a whole number; anything else is 0. */
function priorityIn({ priority }: TaskSubmission['metadata']): number {
  if (typeof priority !== 'number' || !Number.isInteger(priority)) return 0;
  return Math.max(-MOST_PRIORITY, Math.min(MOST_PRIORITY, priority));
}

/** `metadata.timeout_ms`, the time limit of an attempt. */
function timeoutIn(metadata: TaskSubmission['metadata']): number | undefined {
  const timeout = metadata['timeout_ms'];
  const isUsable = typeof timeout === 'number' && timeout > 0 && timeout <= LONGEST_TIMEOUT_MS;
  return isUsable ? timeout : undefined;
}

/** A terminal state is shown only when it is committed: until then the task still runs. */
export function viewOfLive(task: Task): TaskView {
  return {
    id: task.id,
    kind: task.kind,
    clientId: task.clientId,
    queueName: queueName(task.queue),
    state: isTerminal(task.state) ? 'running' : task.state,
    instanceId: whereabouts(task),
    attemptNo: task.attemptNo,
    submittedWallMs: task.submittedAt,
    finishedWallMs: null,
    executionMs: null,
    result: null,
    failure: null,
    prediction: {
      method: task.prediction.method,
      meanMs: task.prediction.serviceTime.mean,
    },
  };
}
