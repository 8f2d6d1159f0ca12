import { VERSION } from '../../config/version';
import { SchedulerError, type ErrorCode } from '../../core/errors';
import type { Instance } from '../../core/instance';
import { queueKey, queueName } from '../../core/queue';
import type { TaskState } from '../../core/task';
import { instanceId, type QueueKey } from '../../core/units';
import type { Plain } from '../../http/dto-fields';
import { jsonText, withMember } from '../../http/json-text';
import type { InstanceRef, Registration } from '../../instances/instances.service';
import type { DurabilitySettings } from '../../persistence/postgres-settings';
import { PREDICTION_MODES, type ModeChoice } from '../../predictions/prediction-mode.service';
import type { InstanceWait } from '../../queues/queues.service';
import type { BatchOutcome } from '../../tasks/batch-submitter';
import type { TaskPage } from '../../tasks/model-task-list';
import type { Receipt } from '../../tasks/task-intake';
import type { TaskView } from '../../tasks/task-view';
import type { TaskSubmission } from '../../tasks/tasks.service';
import type { HealthDto } from './dto/health.dto';
import type {
  BatchResultDto,
  BatchTaskDto,
  QueueInfoAnswerDto,
  SubmitAnswerDto,
  SubmitBatchAnswerDto,
  SubmitBatchDto,
  SubmitDto,
} from './dto/queue.dto';
import type { SetStrategyDto, SettingAnswerDto } from './dto/scheduler.dto';
import type {
  AllTasksAnswerDto,
  ClearAnswerDto,
  ListedTaskDto,
  TaskAnswerDto,
} from './dto/task.dto';
import type { RegisterAnswerDto, RegisterDto, RemoveAnswerDto, RemoveDto } from './dto/ti.dto';

/** What keeps everything from being kept. */
const OUTAGES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['store_unavailable', 'not_leading']);

type WireStatus = TaskAnswerDto['task_status'];

/** How each state is called in SwarmPilot (RELIABILITY_MODEL, section 3). */
const WIRE_STATUS = {
  queued: 'queued',
  dispatching: 'queued',
  dispatched: 'scheduled',
  running: 'scheduled',
  paused: 'scheduled',
  stopping: 'scheduled',
  succeeded: 'completed',
  failed: 'completed',
  cancelled: 'completed',
  timed_out: 'completed',
  released: 'completed',
} as const satisfies Record<TaskState, WireStatus>;

/** What an instance is registered with. */
export function toRegistration({
  host,
  port,
  model_name: model,
}: Plain<RegisterDto>): Registration {
  return { host: host.toLowerCase(), port, modelName: model ?? undefined };
}

/**
 * The answer to a registration that held.
 * @param twin another instance that seems to be the same worker
 */
export function registered(
  { id, address, name, queue }: Instance,
  twin: Instance | undefined,
): Plain<RegisterAnswerDto> {
  const again = twin ? `; ${twin.address} is ${name} too: is that the same worker?` : '';
  const message = `registered ${address} for ${queueName(queue)}${again}`;
  return { status: 'success', message, ti_uuid: id };
}

/**
 * The instance that is to be removed: by its id, else by its address.
 * @throws {SchedulerError} invalid_input when neither is whole
 */
export function toRemovalRef({ host, port, ti_uuid: id }: Plain<RemoveDto>): InstanceRef {
  if (id !== undefined && id !== null) return { id: instanceId(id) };
  const given = { host: host?.toLowerCase(), port: port ?? undefined };
  if (given.host !== undefined && given.port !== undefined) {
    return { host: given.host, port: given.port };
  }
  const absent = given.host === undefined ? 'host' : 'port';
  const msg = `${absent} is missing: an instance is named by ti_uuid, or by host and port`;
  const faults = [{ loc: ['body', absent], msg, type: 'missing' }];
  throw new SchedulerError('invalid_input', msg, { faults });
}

/** The answer to a removal; undefined is an instance that is not registered. */
export function removed(
  asked: Plain<RemoveDto>,
  instance: Instance | undefined,
): Plain<RemoveAnswerDto> {
  if (instance) {
    const { address, host, port, id } = instance;
    return { status: 'success', message: `removed ${address}`, host, port, ti_uuid: id };
  }
  const ref = toRemovalRef(asked);
  const named = 'id' in ref ? ref.id : `${ref.host}:${ref.port}`;
  const message = `no instance ${JSON.stringify(named)} is registered`;
  const { host = null, port = null } = asked;
  return { status: 'error', message, host, port, ti_uuid: null };
}

/** The task that a client submits. */
export function toSubmission({ model_name: model, ...task }: Plain<SubmitDto>): TaskSubmission {
  return submissionOf(model, task);
}

/**
 * The tasks of a batch.
 * @param limitBytes a larger one is refused
 */
export function toSubmissions(
  { model_name: model, tasks }: Plain<SubmitBatchDto>,
  limitBytes: number,
): readonly TaskSubmission[] {
  return tasks.map((task) => ({ ...submissionOf(model, task), limitBytes }));
}

function submissionOf(queueName: string, dto: Plain<BatchTaskDto>): TaskSubmission {
  return {
    kind: 'model',
    queueName,
    clientId: dto.task_id ?? null,
    taskInput: dto.task_input,
    metadata: dto.metadata,
  };
}

/** The answer to a submission, and to its repeats. */
export function submitted({ taskId, clientId, instanceId }: Receipt): Plain<SubmitAnswerDto> {
  return { status: 'success', task_id: clientId ?? taskId, scheduled_ti: instanceId };
}

/**
 * The answer to a batch.
 * @throws {SchedulerError} store_unavailable or not_leading, when that is why nothing was taken
 */
export function batchTaken(
  { tasks }: Plain<SubmitBatchDto>,
  outcomes: readonly BatchOutcome[],
): Plain<SubmitBatchAnswerDto> {
  const away = outageIn(outcomes);
  if (away) throw away;
  const results = outcomes.map((outcome, index) => batchResult(index, outcome, tasks[index]));
  const successful = results.filter(({ status }) => status === 'success').length;
  const failed = results.length - successful;
  return {
    status: failed === 0 ? 'success' : successful === 0 ? 'error' : 'partial',
    message: `${successful} of ${results.length} tasks were taken`,
    total_tasks: results.length,
    successful_tasks: successful,
    failed_tasks: failed,
    results,
  };
}

/** Why nothing could be kept; undefined when something was, or was refused for another reason. */
function outageIn(outcomes: readonly BatchOutcome[]): SchedulerError | undefined {
  const errors = outcomes.flatMap((outcome) =>
    outcome.kind === 'refused' && OUTAGES.has(outcome.error.code) ? [outcome.error] : [],
  );
  return errors.length === outcomes.length ? errors[0] : undefined;
}

function batchResult(
  index: number,
  outcome: BatchOutcome,
  task: Plain<BatchTaskDto> | undefined,
): Plain<BatchResultDto> {
  if (outcome.kind === 'accepted') {
    return { index, ...submitted(outcome.receipt), error: null };
  }
  const { message: error } = outcome.error;
  return { index, status: 'error', task_id: task?.task_id ?? null, scheduled_ti: null, error };
}

/** The waits at the instances, in ms. */
export function queueInfo(waits: readonly InstanceWait[]): Plain<QueueInfoAnswerDto> {
  const queues = waits.map(({ instance, queue, meanMs, deviationMs }) => ({
    model_name: queueName(queue.key),
    ti_uuid: instance.id,
    waiting_time_expect: meanMs,
    waiting_time_error: deviationMs,
  }));
  return { status: 'success', queues };
}

/** A `TaskAnswerDto` as JSON text: the result is set in as it is stored, neither parsed nor printed. */
export function taskAnswer(view: TaskView): string {
  return withMember(standingOf(view), 'result', resultText(view));
}

/** An `AllTasksAnswerDto` as JSON text, piece by piece. */
export async function* allTasks({
  total,
  tasks,
}: TaskPage): AsyncGenerator<string, void, undefined> {
  const status: AllTasksAnswerDto['status'] = 'success';
  let before = `${JSON.stringify({ status, total_tasks: total }).slice(0, -1)},"tasks":[`;
  for await (const some of tasks) {
    yield before + some.map(listedTask).join(',');
    before = ',';
  }
  yield before === ',' ? ']}' : `${before}]}`;
}

function listedTask(view: TaskView): string {
  const task: Plain<Omit<ListedTaskDto, 'result'>> = {
    ...standingOf(view),
    model_name: view.queueName,
    completion_time: view.finishedWallMs === null ? null : unixSeconds(view.finishedWallMs),
  };
  return withMember(task, 'result', resultText(view));
}

function standingOf(view: TaskView): Plain<Omit<TaskAnswerDto, 'result'>> {
  return {
    task_id: view.clientId ?? view.id,
    task_status: WIRE_STATUS[view.state],
    scheduled_ti: view.instanceId,
    submit_time: unixSeconds(view.submittedWallMs),
  };
}

/** Whole milliseconds: the clock knows finer ones, the history does not, and it must not change. */
function unixSeconds(wallMs: number): number {
  return Math.floor(wallMs) / 1000;
}

/** A `ResultFetchAnswerDto` as JSON text. */
export function resultAnswer(view: TaskView): string {
  return withMember({}, 'result', resultText(view));
}

/** The answer to a clearance. */
export function cleared(count: number): Plain<ClearAnswerDto> {
  const message = `${count} finished tasks were cleared`;
  return { status: 'success', message, cleared_count: count };
}

/** JSON text of what SwarmPilot calls the result: that of a success, else the error. */
function resultText({ state, result, failure }: TaskView): string {
  switch (state) {
    case 'succeeded':
      return result ?? 'null';
    case 'failed':
      return jsonText({ error: failure?.message ?? 'failed' });
    case 'cancelled':
      return jsonText({ error: failure?.message ?? 'cancelled' });
    case 'timed_out':
      return jsonText({ error: failure?.message ?? 'timed out' });
    case 'queued':
    case 'dispatching':
    case 'dispatched':
    case 'running':
    case 'paused':
    case 'stopping':
    case 'released':
      return 'null';
  }
}

/** The queue whose strategy is set; null means all without one of their own. */
export function toQueue({ model_name: model = null }: Plain<SetStrategyDto>): QueueKey | null {
  return model === null ? null : queueKey('model', model);
}

/** The answer to the choice of a mode. */
export function modeSet({ kind, name }: ModeChoice): Plain<SettingAnswerDto> {
  if (kind === 'chosen') return { status: 'success', message: 'OK' };
  const valid = PREDICTION_MODES.join(', ');
  return { status: 'error', message: `unknown mode ${JSON.stringify(name)}; valid: ${valid}` };
}

/**
 * What is said of the scheduler's health.
 * @throws {SchedulerError} store_unavailable with the reason, when it cannot work
 */
export function health(
  database: DurabilitySettings | undefined,
  canRecord: boolean,
): Plain<HealthDto> {
  if (!database) {
    throw new SchedulerError('store_unavailable', 'the database does not answer');
  }
  if (!canRecord) {
    throw new SchedulerError('store_unavailable', 'what happens to tasks cannot be recorded');
  }
  const { version, fsync, synchronousCommit, fullPageWrites } = database;
  const postgresql = {
    version,
    fsync,
    synchronous_commit: synchronousCommit,
    full_page_writes: fullPageWrites,
  };
  return { status: 'healthy', service: 'scheduler', version: VERSION, details: { postgresql } };
}
