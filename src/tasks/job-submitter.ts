import { Inject, Injectable } from '@nestjs/common';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import { isTerminal } from '../core/task';
import { isUuid, taskId, type TaskId } from '../core/units';
import { JobsRepository } from '../persistence/jobs.repository';
import { JobDrafts, type JobDraft } from './job-drafts';
import { jobInputIn, jobOriginIn, type JobSubmission } from './job-submission';
import { unknownJob } from './job-view';
import { TaskHistory } from './task-history';
import { TaskIntake, type Admitted } from './task-intake';

/** What became of a submission: the ids of its jobs, in their order. */
export interface JobReceipt {
  readonly ids: readonly TaskId[];
  /** It was known by its key, and this is the first answer. */
  readonly isRepeat: boolean;
}

/** Seconds after which a submission that found no room may be repeated. */
const RETRY_AFTER_SECONDS = 1;
/** Bytes that the jobs of one submission may carry, each with a copy of its own of what it shares. */
const MOST_BYTES = 64 * 1_048_576;

/** Takes batch jobs in, all of a submission or none. */
@Injectable()
export class JobSubmitter {
  constructor(
    private readonly fleet: Fleet,
    private readonly intake: TaskIntake,
    private readonly history: TaskHistory,
    private readonly repository: JobsRepository,
    private readonly drafts: JobDrafts,
    @Inject(configOf('commands')) private readonly commands: Pick<Config['commands'], 'enabled'>,
  ) {}

  /**
   * Keeps the jobs. The answer means that all of them are committed; after an error none is.
   * @param key the client's own name for this submission: a repeat of it gets the first answer
   * @throws {SchedulerError} queue_full, body_too_large, store_unavailable; invalid_input while
   *   commands are switched off, and when the key is that of another submission
   */
  async submit(jobs: readonly JobSubmission[], key: string | null): Promise<JobReceipt> {
    this.assertSwitchedOn();
    const prepared = jobs.map((job, index) => this.drafts.make(job, clientIdOf(key, index)));
    assertSize(prepared);
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

  private assertSwitchedOn(): void {
    if (this.commands.enabled) return;
    const message =
      'commands are switched off here: whoever runs this scheduler switches them on with FORESAIL_COMMANDS=on';
    throw new SchedulerError('invalid_input', message);
  }

  /** The jobs of the first submission under that key, once it is committed; none when it is new. */
  private async known(prepared: readonly JobDraft[], key: string): Promise<readonly TaskId[]> {
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
  private admit(prepared: readonly JobDraft[]): readonly Admitted[] | undefined {
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

function assertSize(prepared: readonly JobDraft[]): void {
  const bytes = prepared.reduce((sum, { draft }) => sum + draft.payloadBytes, 0);
  if (bytes <= MOST_BYTES) return;
  const message = `the jobs are ${bytes} bytes together; allowed are ${MOST_BYTES}`;
  throw new SchedulerError('body_too_large', message);
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
