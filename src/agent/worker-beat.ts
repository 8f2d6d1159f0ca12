import type { Clock } from '../core/ports';
import type { SchedulerAnswer } from '../outgoing/scheduler-connection';
import type { WorkerFacts } from './agent-options';
import type { Beat, SchedulerPosts } from './beat';
import type { Load } from './load';
import type { LoadMeter } from './load-meter';

const PATH = '/api/v1/heartbeat';

/** The heartbeat of a worker that only asks for placement. */
export class WorkerBeat implements Beat {
  readonly name: string;

  constructor(
    private readonly worker: WorkerFacts,
    private readonly meter: LoadMeter,
    private readonly scheduler: SchedulerPosts,
    private readonly clock: Clock,
  ) {
    this.name = worker.id;
  }

  async send(): Promise<SchedulerAnswer> {
    return this.say(await this.meter.read(), false);
  }

  /** With the figures that are known: reading them anew might take too long. */
  leave(): Promise<SchedulerAnswer> {
    return this.say(this.meter.latest, true);
  }

  hurry(): void {
    this.meter.close();
  }

  private say({ currentTasks, taskIds }: Load, leaving: boolean): Promise<SchedulerAnswer> {
    const { id, address, tags, maxTasks, resources } = this.worker;
    const body = {
      worker_id: id,
      address,
      resource_tags: tags,
      max_tasks: maxTasks,
      current_tasks: currentTasks,
      // In order also when the wall clock is set back.
      timestamp: Math.round(this.clock.now()) / 1000,
      ...(taskIds && { task_ids: taskIds }),
      ...(resources && {
        resources: {
          cpu: resources.cpu,
          memory_gb: resources.memoryGb,
          gpu_memory_gb: resources.gpuMemoryGb,
        },
      }),
      ...(leaving && { leaving }),
    };
    return this.scheduler.post(PATH, JSON.stringify(body));
  }
}
