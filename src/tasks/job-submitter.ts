import { Inject, Injectable } from '@nestjs/common';
import { QuantileDistribution } from '../core/distribution';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { Clock, Ids } from '../core/ports';
import { BATCH_QUEUE } from '../core/queue';
import { NOTHING } from '../core/resources';
import { isTerminal, type TaskDraft } from '../core/task';
import { isUuid, taskId, type TaskId } from '../core/units';
import { CLOCK, IDS } from '../ops/system';
import { JobsRepository } from '../persistence/jobs.repository';
import { jobInputIn, jobOriginIn, jobPayload, type JobSubmission } from './job-submission';
import { unknownJob } from './job-view';
import type { Payload } from './payload-cache';
import { TaskHistory } from './task-history';
import { TaskIntake, type Admitted } from './task-intake';

/** What became of a submission: the ids of its jobs, in their order. */
export interface JobReceipt {
  readonly ids: readonly TaskId[];
  /** It was known by its key, and this is the first answer. */
  readonly isRepeat: boolean;
}

interface Prepared {
  readonly draft: TaskDraft;
  readonly payload: Payload;
}

/** Of a job without a limit, in ms: what it is believed to take at most. */
const ASSUMED_LIMIT_MS = 24 * 3_600_000;
const RETRY_AFTER_SECONDS = 1;

/** Takes batch jobs in, all of a submission or none. */
@Injectable()
export class JobSubmitter {
  constructor(
    private readonly fleet: Fleet,
    private readonly intake: TaskIntake,
    private readonly history: TaskHistory,
    private readonly repository: JobsRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /**
   * Keeps the jobs. The answer means that all of them are committed; after an error none is.
   * @param key the client's own name for this submission: a repeat of it gets the first answer
   * @throws {SchedulerError} queue_full, store_unavailable; invalid_input when the key is that of
   *   another submission
   */
  async submit(jobs: readonly JobSubmission[], key: string | null): Promise<JobReceipt> {
    const prepared = jobs.map((job, index) => this.prepare(job, clientIdOf(key, index)));
    for (;;) {
      const known = key === null ? [] : await this.known(prepared, key);
      if (known.length > 0) return { ids: known, isRepeat: true };
      const admitted = this.admit(prepared);
      // Else another request of that key came in between, and is asked for again.
      if (!admitted) continue;
      const receipts = await this.intake.keepAll(admitted);
      return { ids: receipts.map((receipt) => receipt.taskId), isRepeat: false };
    }
  }

  /** As `submit`, for one job. @returns its id */
  async submitOne(job: JobSubmission, key: string | null): Promise<TaskId> {
    const { ids } = await this.submit([job], key);
    return only(ids);
  }

  /**
   * Runs a finished job once more, as a new one.
   * @param operator who asks for it
   * @returns the id of the new one
   * @throws {SchedulerError} unknown_task; forbidden_transition when it has not ended, or its command
   *   is no longer kept; and as `submit`
   */
  async rerun(ref: string, operator: string, key: string | null): Promise<TaskId> {
    const [job] = await this.repository.findAll(isUuid(ref) ? [taskId(ref)] : []);
    if (!job) throw unknownJob(ref);
    if (!isTerminal(job.state)) throw refused(ref, `it is ${job.state}, and has not ended`);
    if (job.taskInput === null || job.metadata === null) {
      throw refused(ref, 'its command is no longer kept');
    }
    const again: JobSubmission = {
      ...jobInputIn(job.taskInput),
      ...jobOriginIn(job.metadata),
      parentJobId: job.id,
      priority: job.priority,
      timeoutMs: job.attemptTimeoutMs,
      slots: job.slots,
      cpu: job.cpu,
      memoryGb: job.memoryGb,
      needs: job.job,
    };
    const { ids, isRepeat } = await this.submit([again], key);
    const id = only(ids);
    if (!isRepeat) await this.history.note(job, 'rerun', `run again as ${id}`, operator);
    return id;
  }

  private prepare(job: JobSubmission, clientId: string | null): Prepared {
    const payload = jobPayload(job);
    const serviceTime = QuantileDistribution.point(Math.min(job.timeoutMs, ASSUMED_LIMIT_MS));
    const draft: TaskDraft = {
      id: taskId(this.ids.next()),
      kind: 'batch',
      clientId,
      queue: BATCH_QUEUE,
      priority: job.priority,
      submittedAt: this.clock.now(),
      prediction: { serviceTime, method: 'limit' },
      demand: { ...NOTHING, slots: job.slots, cpu: job.cpu, memoryGb: job.memoryGb },
      job: job.needs,
      attemptTimeoutMs: job.timeoutMs,
      maxAttempts: job.needs.retryLimit + 1,
      payloadBytes: Buffer.byteLength(payload.taskInput) + Buffer.byteLength(payload.metadata),
    };
    return { draft, payload };
  }

  /** The jobs of the first submission under that key, once it is committed; none when it is new. */
  private async known(prepared: readonly Prepared[], key: string): Promise<readonly TaskId[]> {
    const names = prepared.flatMap(({ draft }) => draft.clientId ?? []);
    for (const name of names) {
      const live = this.fleet.taskByClientId('batch', name);
      if (live) await this.intake.receiptFor(live);
    }
    const found = await this.repository.named(names);
    const isSame = found.every(({ taskInput }, index) => {
      return taskInput === null || taskInput === prepared[index]?.payload.taskInput;
    });
    if (found.length === 0 || (found.length === prepared.length && isSame)) {
      return found.map(({ id }) => id);
    }
    const msg = `Idempotency-Key ${JSON.stringify(key)} belongs to a submission of other jobs`;
    const fault = { loc: ['header', 'idempotency-key'], msg, type: 'value' };
    throw new SchedulerError('invalid_input', msg, { faults: [fault] });
  }

  /**
   * In one turn, so that nobody sees a part of it.
   * @returns undefined when one of them is known
   */
  private admit(prepared: readonly Prepared[]): readonly Admitted[] | undefined {
    const admitted: Admitted[] = [];
    for (const { draft, payload } of prepared) {
      const submission = this.fleet.submit(draft);
      if (submission.kind === 'accepted') {
        admitted.push({ ...submission, payload });
        continue;
      }
      for (const { task } of admitted.reverse()) this.fleet.revert(task);
      if (submission.kind === 'known') return undefined;
      const details = { retryAfterSeconds: RETRY_AFTER_SECONDS };
      throw new SchedulerError(submission.code, submission.message, details);
    }
    return admitted;
  }
}

function only([id]: readonly TaskId[]): TaskId {
  if (id === undefined) throw new Error('a submission of one job has one id');
  return id;
}

/** The first job has the key itself: also where a submission is of one job only. */
function clientIdOf(key: string | null, index: number): string | null {
  return key === null || index === 0 ? key : `${key}#${index}`;
}

function refused(ref: string, why: string): SchedulerError {
  return new SchedulerError('forbidden_transition', `job ${ref} cannot be run again: ${why}`);
}
