import { Injectable } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { InstanceId, TaskId } from '../core/units';
import { JobHosts } from '../executors/job-hosts';
import { HostUnreachableError } from '../executors/processes/host-shell';
import { JobPlaces } from '../ops/job-places';

/** What the commands of jobs have written, where they wrote it. */
@Injectable()
export class JobLogs {
  constructor(
    private readonly fleet: Fleet,
    private readonly hosts: JobHosts,
    private readonly places: JobPlaces,
  ) {}

  /**
   * The last lines of a job's log, read from its end; none when there is no log, or no such host
   * any more.
   * @param job where its newest attempt is or was; null before the first
   * @throws {SchedulerError} unreachable_instance when its host does not answer
   */
  async lastLines(
    { id, instanceId }: { readonly id: TaskId; readonly instanceId: InstanceId | null },
    count: number,
  ): Promise<readonly string[]> {
    const host = instanceId === null ? undefined : this.fleet.instances.get(instanceId);
    if (host?.kind !== 'host') return [];
    const jobs = this.hosts.at(host.traits.executorPrefix);
    try {
      return await jobs.lastLines(this.places.logPath(id), count);
    } catch (cause) {
      if (!(cause instanceof HostUnreachableError)) throw cause;
      const message = `host ${host.name} does not answer: ${cause.message}`;
      throw new SchedulerError('unreachable_instance', message, {}, { cause });
    }
  }
}
