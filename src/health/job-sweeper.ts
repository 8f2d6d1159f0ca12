import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { Fleet } from '../core/fleet';
import { isUuid, type DispatchId } from '../core/units';
import { JobHosts } from '../executors/job-hosts';
import type { HostJobs } from '../executors/processes/host-jobs';
import { HostsService } from '../instances/hosts.service';
import { TasksRepository } from '../persistence/tasks.repository';

const SWEEP_MS = 60_000;
/** A start that was cancelled may still be on its way, and must find that it is; in seconds. */
const KEPT_SECONDS = 60;

/**
 * Ends what hosts still run of attempts that the record knows to be over, as when a host comes back
 * whose jobs were given up, and lets hosts forget them. What the record does not know is another
 * scheduler's, and is left alone.
 */
@Injectable()
export class JobSweeper implements OnApplicationBootstrap {
  private readonly logger = new Logger(JobSweeper.name);

  constructor(
    private readonly fleet: Fleet,
    private readonly hosts: HostsService,
    private readonly ways: JobHosts,
    private readonly tasks: TasksRepository,
    @Inject(configOf('commands')) private readonly settings: Pick<Config['commands'], 'enabled'>,
  ) {}

  onApplicationBootstrap(): void {
    void this.sweep();
  }

  /** Looks at every host that is there. Never throws. */
  @Interval(SWEEP_MS)
  async sweep(): Promise<void> {
    if (!this.settings.enabled) return;
    const there = this.hosts.all().filter(({ health }) => health !== 'lost');
    const prefixes = new Set(there.map(({ traits }) => traits.executorPrefix));
    await Promise.all([...prefixes].map((prefix) => this.sweepAt(prefix)));
  }

  private async sweepAt(prefix: string): Promise<void> {
    try {
      const host = this.ways.at(prefix);
      const known = await host.known();
      const strange = known.filter((id) => isUuid(id) && !this.fleet.attempts.byDispatchId(id));
      if (strange.length === 0) return;
      await this.end(host, await this.tasks.attemptsOver(strange, KEPT_SECONDS));
    } catch (error) {
      this.logger.debug({ msg: 'a host was not swept', prefix, error });
    }
  }

  private async end(host: HostJobs, over: readonly DispatchId[]): Promise<void> {
    const gone: DispatchId[] = [];
    for (const id of over) {
      const left = await host.signal(id, 'KILL');
      if (left === 0) gone.push(id);
      else
        this.logger.warn({ msg: `${left} processes of an attempt that is over`, dispatchId: id });
    }
    if (gone.length > 0) await host.remove(gone);
  }
}
