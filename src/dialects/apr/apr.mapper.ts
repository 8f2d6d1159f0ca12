import type { Instance } from '../../core/instance';
import type { TaskEventType, TaskState } from '../../core/task';
import { isTerminal, TASK_STATES } from '../../core/task';
import type { Plain } from '../../http/dto-fields';
import type { JobCount, JobFilter } from '../../persistence/jobs.repository';
import type { Timeline } from '../../persistence/tasks.repository';
import type { JobView } from '../../tasks/job-view';
import type { HostDto } from './dto/host.dto';
import {
  JOB_STATUSES,
  type JobDetailDto,
  type JobDto,
  type JobEventDto,
  type JobEventType,
  type JobListQueryDto,
  type JobStage,
  type JobStatus,
  type LogDto,
} from './dto/job.dto';
import type { SummaryDto } from './dto/summary.dto';
import { refused } from './apr.input';

/** How each state is called here (RELIABILITY_MODEL, section 3). */
const WIRE_STATUS = {
  queued: 'QUEUED',
  dispatching: 'DISPATCHED',
  dispatched: 'DISPATCHED',
  running: 'RUNNING',
  paused: 'PAUSED',
  stopping: 'RUNNING',
  succeeded: 'SUCCESS',
  failed: 'FAILED',
  cancelled: 'CANCELLED',
  timed_out: 'TIMEOUT',
  released: 'CANCELLED',
} as const satisfies Record<TaskState, JobStatus>;

const STAGE = {
  queued: 'waiting',
  dispatching: 'starting',
  dispatched: 'starting',
  running: 'running',
  paused: 'paused',
  stopping: 'stopping',
  succeeded: 'ended',
  failed: 'ended',
  cancelled: 'ended',
  timed_out: 'ended',
  released: 'ended',
} as const satisfies Record<TaskState, JobStage>;

/** How each event is called here; null is not told. A host that was chosen has the job dispatched. */
const WIRE_EVENT = {
  submitted: 'SUBMITTED',
  reserved: 'DISPATCHED',
  dispatched: null,
  running: 'RUNNING',
  requeued: 'RETRYING',
  stopping: 'STOP',
  succeeded: 'SUCCESS',
  failed: 'FAILED',
  cancelled: 'CANCELLED',
  timed_out: 'TIMEOUT',
  released: null,
  paused: 'PAUSE',
  resumed: 'RESUME',
  rerun: 'RERUN',
  vacated: null,
  attempt_ended: null,
  late_result: null,
  foreign_result: null,
  duplicate_result: null,
} as const satisfies Record<TaskEventType, JobEventType | null>;

/** Who did what nobody asked for. */
const NOBODY = 'system';
/** Four decimals. */
const RATE_SCALE = 10_000;

/** An answer that is a success, in its envelope. */
export function success<Data extends object>(
  data: Data,
  message = 'success',
): { readonly status: number; readonly message: string; readonly data: Data } {
  return { status: 200, message, data };
}

/** A host, and what of it is used. */
export function hostAnswer(host: Instance): Plain<HostDto> {
  const { capacity, traits, backlog, health, lastContact } = host;
  const { used } = backlog;
  return {
    host_id: host.name,
    total_slots: capacity.slots,
    total_cpu: capacity.cpu,
    total_memory_gb: capacity.memoryGb,
    labels: traits.labels,
    executor_prefix: traits.executorPrefix,
    used_slots: used.slots,
    used_cpu: rounded(used.cpu),
    used_memory_gb: rounded(used.memoryGb),
    status: health === 'online' ? 'ONLINE' : 'OFFLINE',
    last_heartbeat_at: new Date(lastContact).toISOString(),
    running_jobs: [...backlog.held].map(({ task }) => task.id),
  };
}

/** A job. */
export function jobAnswer(job: JobView): Plain<JobDto> {
  const { needs, retries } = job;
  return {
    job_id: job.id,
    command: job.command,
    project: job.project,
    design: job.design,
    owner: job.owner,
    priority: job.priority,
    timeout_sec: Number.isFinite(job.timeoutMs) ? job.timeoutMs / 1_000 : 0,
    retry_limit: needs.retryLimit,
    resource_request: {
      cpu: job.cpu,
      memory_gb: job.memoryGb,
      slots: job.slots,
      license_tokens: needs.tokens,
      tool_version: needs.tool,
      host_labels: needs.labels,
    },
    workdir: job.workdir,
    env: job.env,
    status: job.isRetrying ? 'RETRYING' : WIRE_STATUS[job.state],
    assigned_host_id: job.hostName ?? '',
    created_at: time(job.submittedAt),
    queued_at: time(job.submittedAt),
    started_at: time(job.startedAt),
    finished_at: time(job.finishedAt),
    updated_at: time(job.updatedAt),
    stage: job.isRetrying ? 'backoff' : STAGE[job.state],
    message: job.message,
    retry_count: retries,
    exit_code: job.exitCode,
    log_path: job.logPath,
    parent_job_id: job.parentJobId ?? '',
  };
}

/** A job with what happened to it. */
export function jobDetail(job: JobView, { events }: Timeline): Plain<JobDetailDto> {
  return { ...jobAnswer(job), events: events.flatMap((event) => eventAnswer(event, job)) };
}

function eventAnswer(event: Timeline['events'][number], job: JobView): Plain<JobEventDto>[] {
  const type = WIRE_EVENT[event.type];
  if (type === null) return [];
  const nobody = type === 'SUBMITTED' && job.owner !== '' ? job.owner : NOBODY;
  return [
    {
      event_id: String(event.id),
      job_id: job.id,
      event_type: type,
      message: event.message,
      operator: event.operator ?? nobody,
      created_at: time(event.at),
    },
  ];
}

/** The end of a job's log. */
export function logAnswer({ id, logPath }: JobView, lines: readonly string[]): Plain<LogDto> {
  return { job_id: id, log_path: logPath, lines };
}

/** Many jobs, piece by piece. */
export async function* jobsAnswer(
  pages: AsyncIterable<readonly JobView[]>,
): AsyncGenerator<string, void, undefined> {
  let separator = '{"status":200,"message":"success","data":{"jobs":[';
  for await (const jobs of pages) {
    if (jobs.length === 0) continue;
    yield separator + jobs.map((job) => JSON.stringify(jobAnswer(job))).join(',');
    separator = ',';
  }
  yield separator === ',' ? ']}}' : `${separator}]}}`;
}

/**
 * Which jobs the query asks for.
 * @throws {SchedulerError} invalid_input for a status that is none
 */
export function toFilter({ status, owner, project }: Plain<JobListQueryDto>): JobFilter {
  return {
    ...(status === undefined ? {} : statesOf(status)),
    ...(owner === undefined ? {} : { owner }),
    ...(project === undefined ? {} : { project }),
  };
}

function statesOf(text: string): JobFilter {
  const asked = new Set(text.split(',').map(statusNamed));
  const states = TASK_STATES.filter((state) => asked.has(WIRE_STATUS[state]));
  const isQueued = asked.has('QUEUED');
  if (isQueued === asked.has('RETRYING')) return { states };
  return isQueued
    ? { states, isRetrying: false }
    : { states: ['queued', ...states], isRetrying: true };
}

function statusNamed(text: string): JobStatus {
  const status = JOB_STATUSES.find((one) => one === text.trim().toUpperCase());
  if (status !== undefined) return status;
  const allowed = `one or several of ${JOB_STATUSES.join(', ')}`;
  const msg = `status must be ${allowed}; got ${JSON.stringify(text)}`;
  throw refused(['query', 'status'], msg, 'enum');
}

/** Jobs and hosts in figures. */
export function summaryAnswer(
  counts: readonly JobCount[],
  hosts: readonly Instance[],
): Plain<SummaryDto> {
  const byStatus = Object.fromEntries(JOB_STATUSES.map((status) => [status, 0]));
  for (const { state, isRetrying, jobs } of counts) {
    const status = isRetrying ? 'RETRYING' : WIRE_STATUS[state];
    byStatus[status] = (byStatus[status] ?? 0) + jobs;
  }
  const finished = sum(counts.filter(({ state }) => isTerminal(state)).map(({ jobs }) => jobs));
  const rate = finished === 0 ? 0 : (byStatus['SUCCESS'] ?? 0) / finished;
  return {
    total_jobs: sum(counts.map(({ jobs }) => jobs)),
    status_counts: byStatus,
    finished_jobs: finished,
    success_rate: Math.round(rate * RATE_SCALE) / RATE_SCALE,
    total_hosts: hosts.length,
    total_slots: sum(hosts.map(({ slots }) => slots)),
    used_slots: sum(hosts.map(({ backlog }) => backlog.used.slots)),
  };
}

function time(at: Date | null): string {
  return at === null ? '' : at.toISOString();
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Sums of decimal fractions, without the dust of binary ones. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
