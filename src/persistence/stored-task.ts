import { QuantileDistribution } from '../core/distribution';
import { queueKey } from '../core/queue';
import type { Resources } from '../core/resources';
import type {
  Attempt,
  Decision,
  FailureKind,
  JobNeeds,
  Prediction,
  Task,
  TaskKind,
  TaskState,
} from '../core/task';
import {
  instant,
  type DispatchId,
  type InstanceId,
  type Instant,
  type QueueKey,
  type TaskId,
} from '../core/units';
import type { TaskEntity } from './entities/task.entity';

/** Columns of a task that has to be taken into memory again; instants are Unix ms. */
export interface LiveTaskRow {
  readonly id: TaskId;
  readonly kind: TaskKind;
  readonly client_task_id: string | null;
  readonly queue_name: string;
  readonly state: TaskState;
  readonly attempt_no: number;
  readonly event_seq: number;
  readonly not_before: number | null;
  readonly avoid_instance_id: InstanceId | null;
  readonly stop_reason: Task['stopReason'];
  readonly failure_kind: FailureKind | null;
  readonly failure_message: string | null;
  readonly payload_bytes: number;
  readonly job: JobNeeds | null;
  /** `TERMS` in their order, with spaces between: one text, so that equal ones are read once. */
  readonly terms: string;
  readonly submitted_at: number;
  readonly finished_at: number | null;
}

/** What is mostly equal in many tasks; none of them is ever null, and only the last may have spaces. */
const TERMS = [
  'priority',
  'max_attempts',
  'retries',
  'attempt_timeout_ms',
  'demand_slots',
  'demand_cpu',
  'demand_memory_gb',
  'demand_gpu_memory_gb',
  'prediction_levels',
  'prediction_quantiles',
  'prediction_method',
];

/** `TERMS`, read. */
type Terms = Pick<
  Task,
  'priority' | 'maxAttempts' | 'retries' | 'attemptTimeoutMs' | 'demand' | 'prediction'
>;

/** So many of `TERMS` are numbers, from the first on. */
const NUMBERS = 8;
type Numbers = [number, number, number, number, number, number, number, number];

/** Columns of an attempt that is not over; instants are Unix ms. */
export interface OpenAttemptRow {
  readonly task_id: TaskId;
  readonly attempt_no: number;
  readonly dispatch_id: DispatchId;
  readonly instance_id: InstanceId;
  readonly registration: number;
  /** Null where it was reserved before this was recorded. */
  readonly speed: number | null;
  /** The same. */
  readonly decision: Decision | null;
  readonly state: Attempt['state'];
  readonly remote_id: string | null;
  readonly reserved_at: number;
  readonly sent_at: number | null;
  readonly running_since: number | null;
  readonly ended_at: number | null;
  readonly execution_ms: number | null;
  readonly vacated: boolean;
}

const LIVE_COLUMNS = [
  'id',
  'kind',
  'client_task_id',
  'queue_name',
  'state',
  'attempt_no',
  'avoid_instance_id',
  'stop_reason',
  'failure_kind',
  'failure_message',
  'payload_bytes',
  'job',
  `concat_ws(' ', ${TERMS.join(', ')}) AS terms`,
  unixMs('not_before'),
  unixMs('submitted_at'),
  unixMs('finished_at'),
].join(', ');

/** A task as its row shows it. */
export type ShownTask = Readonly<
  Pick<
    TaskEntity,
    | 'id'
    | 'kind'
    | 'clientTaskId'
    | 'queueName'
    | 'state'
    | 'instanceId'
    | 'attemptNo'
    | 'submittedAt'
    | 'finishedAt'
    | 'executionMs'
    | 'result'
    | 'failureKind'
    | 'failureMessage'
    | 'predictionMethod'
    | 'predictionLevels'
    | 'predictionQuantiles'
  >
>;

/** What is selected from `tasks` for a `ShownTask`. */
export const SHOWN_COLUMNS = [
  'id',
  'kind',
  'client_task_id AS "clientTaskId"',
  'queue_name AS "queueName"',
  'state',
  'instance_id AS "instanceId"',
  'attempt_no AS "attemptNo"',
  'submitted_at AS "submittedAt"',
  'finished_at AS "finishedAt"',
  'execution_ms AS "executionMs"',
  'result',
  'failure_kind AS "failureKind"',
  'failure_message AS "failureMessage"',
  'prediction_method AS "predictionMethod"',
  'prediction_levels AS "predictionLevels"',
  'prediction_quantiles AS "predictionQuantiles"',
].join(', ');

/** What is selected from `tasks` for a `LiveTaskRow`. */
export const LIVE_TASK_COLUMNS = `${LIVE_COLUMNS}, event_seq`;

/** The same of a task that has ended: notes may have been written since. */
export const ENDED_TASK_COLUMNS = `${LIVE_COLUMNS}, (
  SELECT max(e.seq) FROM task_events e WHERE e.task_id = tasks.id) AS event_seq`;

/** What is selected from `attempts` for an `OpenAttemptRow`. */
export const OPEN_ATTEMPT_COLUMNS = [
  'task_id',
  'attempt_no',
  'dispatch_id',
  'instance_id',
  'registration',
  'speed',
  'decision',
  'state',
  'remote_id',
  'execution_ms',
  'vacated',
  unixMs('reserved_at'),
  unixMs('sent_at'),
  unixMs('running_since'),
  unixMs('ended_at'),
].join(', ');

function unixMs(column: string): string {
  return `date_part('epoch', ${column}) * 1000 AS ${column}`;
}

/**
 * Makes tasks from rows. A row has everything to itself, down to the name of its state; what is
 * equal in many tasks is kept once, as it is for tasks that were submitted here.
 */
export class TaskReader {
  private readonly kinds = new Shared<TaskKind>();
  private readonly states = new Shared<TaskState>();
  private readonly queues = new Shared<QueueKey>();
  private readonly terms = new Shared<Terms>();
  private readonly levels = new Shared<readonly number[]>();
  private readonly predictions = new Shared<Prediction>();
  private readonly demands = new Shared<Resources>();
  private readonly jobs = new Shared<JobNeeds>();

  /** @param attempts those of this task that are not over, oldest first */
  taskOf(row: LiveTaskRow, attempts: readonly Attempt[]): Task {
    const { failure_kind: kind, failure_message: message } = row;
    const terms = this.terms.of(row.terms, () => this.termsIn(row.terms));
    return {
      id: row.id,
      kind: this.kinds.of(row.kind, () => row.kind),
      clientId: row.client_task_id,
      queue: this.queueOf(row),
      priority: terms.priority,
      submittedAt: instant(row.submitted_at),
      prediction: terms.prediction,
      demand: terms.demand,
      job: this.jobOf(row),
      attemptTimeoutMs: terms.attemptTimeoutMs,
      maxAttempts: terms.maxAttempts,
      payloadBytes: row.payload_bytes,
      state: this.states.of(row.state, () => row.state),
      attemptNo: row.attempt_no,
      retries: terms.retries,
      attempts,
      notBefore: instantOf(row.not_before),
      plannedOn: null,
      decision: null,
      avoid: row.avoid_instance_id,
      stopReason: row.stop_reason,
      failure: kind && { kind, message: message ?? '' },
      finishedAt: instantOf(row.finished_at),
      eventSeq: row.event_seq,
    };
  }

  private queueOf({ kind, queue_name: name }: LiveTaskRow): QueueKey {
    const key = queueKey(kind, name);
    return this.queues.of(key, () => key);
  }

  private termsIn(text: string): Terms {
    const words = text.split(' ');
    const [priority, maxAttempts, retries, attemptTimeoutMs, slots, cpu, memoryGb, gpuMemoryGb] =
      words.slice(0, NUMBERS).map(Number) as Numbers;
    return {
      priority,
      maxAttempts,
      retries,
      attemptTimeoutMs,
      demand: this.demandOf({ slots, cpu, memoryGb, gpuMemoryGb }),
      prediction: this.predictionOf(words.slice(NUMBERS)),
    };
  }

  private predictionOf(words: readonly string[]): Prediction {
    return this.predictions.of(words.join(' '), () => {
      const [levels = '', quantiles = '', ...method] = words;
      const serviceTime = new QuantileDistribution(
        this.levels.of(levels, () => numbersIn(levels)),
        numbersIn(quantiles),
      );
      return { serviceTime, method: method.join(' ') };
    });
  }

  private jobOf({ job }: LiveTaskRow): JobNeeds | null {
    return job && this.jobs.of(JSON.stringify(job), () => job);
  }

  private demandOf(demand: Resources): Resources {
    return this.demands.of(Object.values(demand).join(' '), () => demand);
  }
}

/** What stands for equal keys, made once. */
class Shared<T> {
  private readonly made = new Map<string, T>();

  of(key: string, make: () => T): T {
    const known = this.made.get(key);
    if (known !== undefined) return known;
    const first = make();
    this.made.set(key, first);
    return first;
  }
}

/** An attempt as memory has it. */
export function attemptOf(row: OpenAttemptRow): Attempt {
  return {
    taskId: row.task_id,
    no: row.attempt_no,
    dispatchId: row.dispatch_id,
    instanceId: row.instance_id,
    registration: row.registration,
    speed: row.speed ?? 1,
    decision: row.decision,
    reservedAt: instant(row.reserved_at),
    state: row.state,
    remoteId: row.remote_id,
    sentAt: instantOf(row.sent_at),
    runningSince: instantOf(row.running_since),
    endedAt: instantOf(row.ended_at),
    vacated: row.vacated,
    executionMs: row.execution_ms,
  };
}

function instantOf(unixMs: number | null): Instant | null {
  return unixMs === null ? null : instant(unixMs);
}

function numbersIn(text: string): readonly number[] {
  return text.slice(1, -1).split(',').map(Number);
}
