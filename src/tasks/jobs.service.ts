import { Inject, Injectable } from '@nestjs/common';
import { Fleet } from '../core/fleet';
import type { Clock } from '../core/ports';
import { isUuid, taskId, type TaskId } from '../core/units';
import { CLOCK } from '../ops/system';
import {
  JobsRepository,
  type JobBounds,
  type JobCount,
  type JobFilter,
} from '../persistence/jobs.repository';
import { jobView, unknownJob, type JobView } from './job-view';

/** Jobs that are read at once: each may carry a command of 1 MiB. */
const AT_ONCE = 100;

/** Batch jobs on the record, and what is done to them. */
@Injectable()
export class JobsService {
  constructor(
    private readonly fleet: Fleet,
    private readonly repository: JobsRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws {SchedulerError} unknown_task, store_unavailable */
  async get(ref: string): Promise<JobView> {
    const [job] = isUuid(ref) ? await this.viewsOf([taskId(ref)]) : [];
    if (job) return job;
    throw unknownJob(ref);
  }

  /** A page of the jobs, newest first, a few at a time. @throws {SchedulerError} store_unavailable */
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

  private async viewsOf(ids: readonly TaskId[]): Promise<readonly JobView[]> {
    const jobs = await this.repository.findAll(ids);
    return jobs.map((job) => jobView(job, this.fleet, this.clock.now()));
  }
}
