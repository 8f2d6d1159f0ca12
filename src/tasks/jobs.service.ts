import { Inject, Injectable } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { Clock } from '../core/ports';
import { isTerminal, type Task } from '../core/task';
import { isUuid, taskId, type TaskId } from '../core/units';
import { JobPlaces } from '../ops/job-places';
import { CLOCK } from '../ops/system';
import {
  JobsRepository,
  type JobBounds,
  type JobCount,
  type JobFilter,
} from '../persistence/jobs.repository';
import { TaskLifecycle } from './task-lifecycle';
import { jobView, unknownJob, type JobView } from './job-view';

/** Jobs that are read at once: each may carry a command of 1 MiB. */
const AT_ONCE = 100;

/** Batch jobs on the record, and what is done to them. */
@Injectable()
export class JobsService {
  constructor(
    private readonly fleet: Fleet,
    private readonly lifecycle: TaskLifecycle,
    private readonly repository: JobsRepository,
    private readonly places: JobPlaces,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws {SchedulerError} unknown_task, store_unavailable */
  async get(ref: string): Promise<JobView> {
    const [job] = isUuid(ref) ? await this.viewsOf([taskId(ref)]) : [];
    if (job) return job;
    throw unknownJob(ref);
  }

  /**
   * A page of the jobs, newest first, a few at a time, each as it stands when it is reached.
   * @throws {SchedulerError} store_unavailable
   */
  async list(filter: JobFilter, bounds: JobBounds): Promise<AsyncIterable<readonly JobView[]>> {
    return this.views(await this.repository.page(filter, bounds, this.clock.now()));
  }

  /** These jobs in their order, a few at a time; those that are gone are left out. */
  async *views(ids: readonly TaskId[]): AsyncGenerator<readonly JobView[], void, undefined> {
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      yield await this.viewsOf(ids.slice(from, from + AT_ONCE));
    }
  }

  /** How many jobs stand how. @throws {SchedulerError} store_unavailable */
  async counts(): Promise<readonly JobCount[]> {
    return this.repository.counts(this.clock.now());
  }

  /**
   * Stops a job: one that waits is cancelled at once, another one when its end was seen.
   * @throws {SchedulerError} unknown_task, forbidden_transition, store_unavailable
   */
  async stop(ref: string, operator: string): Promise<JobView> {
    return this.control(ref, 'stopped', (task) =>
      this.lifecycle.stop(task, 'cancelled', `stopped by ${operator}`, operator),
    );
  }

  /** Lets a running job stand still. @throws as `stop` */
  async pause(ref: string, operator: string): Promise<JobView> {
    return this.control(ref, 'paused', (task) => this.lifecycle.pause(task, operator));
  }

  /** Lets a paused job go on. @throws as `stop` */
  async resume(ref: string, operator: string): Promise<JobView> {
    return this.control(ref, 'resumed', (task) => this.lifecycle.resume(task, operator));
  }

  private async control(
    ref: string,
    done: string,
    act: (task: Task) => Promise<boolean>,
  ): Promise<JobView> {
    const task = isUuid(ref) ? this.fleet.tasks.get(taskId(ref)) : undefined;
    const isDone = task?.kind === 'batch' && (await act(task));
    const job = await this.get(ref);
    // What was asked for before is done, too.
    if (isDone || !isTerminal(job.state)) return job;
    const message = `job ${ref} cannot be ${done}: it is ${job.state}, and has ended`;
    throw new SchedulerError('forbidden_transition', message);
  }

  private async viewsOf(ids: readonly TaskId[]): Promise<readonly JobView[]> {
    const jobs = await this.repository.findAll(ids);
    return jobs.map((job) => jobView(job, this.fleet, this.places, this.clock.now()));
  }
}
