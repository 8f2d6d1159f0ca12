import { SchedulerError } from '../core/errors';
import type { Fleet } from '../core/fleet';
import type { JobNeeds, TaskState } from '../core/task';
import type { InstanceId, Instant, TaskId } from '../core/units';
import type { JobPlaces } from '../ops/job-places';
import type { StoredJob } from '../persistence/jobs.repository';
import { jobInputIn, jobOriginIn, type JobInput, type JobOrigin } from './job-submission';
import { whyWaiting } from './why-waiting';

/** A batch job as a query answers it, live or finished. */
export interface JobView extends JobInput, JobOrigin {
  readonly id: TaskId;
  readonly state: TaskState;
  /** It stands aside after a try that failed. */
  readonly isRetrying: boolean;
  /** Where its newest try is or was. */
  readonly instanceId: InstanceId | null;
  /** Name of the host that has or had it; null while it waits. */
  readonly hostName: string | null;
  readonly priority: number;
  /** `Infinity`: none. */
  readonly timeoutMs: number;
  readonly slots: number;
  readonly cpu: number;
  readonly memoryGb: number;
  readonly needs: JobNeeds;
  readonly retries: number;
  readonly submittedAt: Date;
  /** When it first ran. */
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly updatedAt: Date;
  /** Why it waits, or what was said of its last change of state. */
  readonly message: string;
  /** Where the commands of its tries write, on the host. */
  readonly logPath: string;
  /** Of the last try that ended with one; null without, and while it is live. */
  readonly exitCode: number | null;
}

/** Of a job whose payload is no longer kept. */
const GONE_INPUT: JobInput = { command: '', workdir: '', env: {} };
const GONE_ORIGIN: JobOrigin = {
  project: '',
  design: '',
  owner: '',
  parentJobId: null,
  arrayIndex: null,
};

/** The record of a job, and why it waits as things are now. */
export function jobView(
  job: StoredJob,
  fleet: Fleet,
  places: Pick<JobPlaces, 'logPath'>,
  now: Instant,
): JobView {
  const { taskInput, metadata, result, hostName, job: needs, attemptTimeoutMs, ...rest } = job;
  const isAside = job.notBefore !== null && job.notBefore > now;
  const isRetrying = job.state === 'queued' && job.retries > 0 && isAside;
  const task = fleet.tasks.get(job.id);
  const waits = task?.state === 'queued' && job.state === 'queued' && !isRetrying;
  return {
    ...rest,
    ...(taskInput === null ? GONE_INPUT : jobInputIn(taskInput)),
    ...(metadata === null ? GONE_ORIGIN : jobOriginIn(metadata)),
    needs,
    timeoutMs: attemptTimeoutMs,
    hostName: job.state === 'queued' ? null : hostName,
    isRetrying,
    logPath: places.logPath(job.id),
    message: waits ? whyWaiting(task, fleet, now) : job.message,
    exitCode: result === null ? null : (JSON.parse(result) as JobResult).exit_code,
  };
}

/** There is no such job. */
export function unknownJob(ref: string): SchedulerError {
  return new SchedulerError('unknown_task', `there is no job ${JSON.stringify(ref)}`);
}

/** The kept result of a job. */
interface JobResult {
  readonly exit_code: number | null;
}
