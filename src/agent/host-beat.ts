import type { SchedulerAnswer } from '../outgoing/scheduler-connection';
import type { HostFacts } from './agent-options';
import type { Beat, SchedulerPosts } from './beat';

const HOSTS = '/scheduler/hosts';

/** The heartbeat of a host of batch jobs. It registers the host where it is told with what. */
export class HostBeat implements Beat {
  readonly name: string;
  private isRegistered: boolean;

  constructor(
    private readonly host: HostFacts,
    private readonly scheduler: SchedulerPosts,
  ) {
    this.name = host.id;
    this.isRegistered = host.registration === null;
  }

  /** A registration counts as a heartbeat. A host that is not known (any more) registers again. */
  async send(): Promise<SchedulerAnswer> {
    if (!this.isRegistered) return this.register();
    const path = `${HOSTS}/${encodeURIComponent(this.host.id)}/heartbeat`;
    const answer = await this.scheduler.post(path, '{}');
    const isUnknown = answer.kind === 'refused' && answer.httpStatus === 404;
    return isUnknown && this.host.registration !== null ? this.register() : answer;
  }

  leave(): Promise<null> {
    return Promise.resolve(null);
  }

  hurry(): void {
    // Every call has its own patience, and there is nothing else to wait for.
  }

  private async register(): Promise<SchedulerAnswer> {
    const { slots, cpu, memoryGb, labels, prefix } = this.host.registration ?? {};
    const body = {
      host_id: this.host.id,
      total_slots: slots,
      total_cpu: cpu,
      total_memory_gb: memoryGb,
      labels,
      executor_prefix: prefix,
    };
    const answer = await this.scheduler.post(`${HOSTS}/register`, JSON.stringify(body));
    this.isRegistered = answer.kind === 'answered';
    return answer;
  }
}
