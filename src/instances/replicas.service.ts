import { Injectable, Logger } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import type { Instance } from '../core/instance';
import type { ModelStart, TaskInstanceClient } from '../executors/task-instance.client';
import { TaskInstanceClients } from '../executors/task-instance.clients';
import { TaskInstanceError } from '../executors/task-instance.error';
import type { ReplicasStarted, ReplicasStopped } from '../executors/worker-replicas';
import { InstancesService } from './instances.service';
import { StatusKeeper } from './status-keeper';
import { modelServed } from './worker-facts';

/** Replicas to start; without a model, of the one that the instance serves. */
export type ReplicaStart = Omit<ModelStart, 'modelType'> & { readonly modelType: string | null };

/** Has task instances start and stop replicas, and looks at once what became of it. */
@Injectable()
export class ReplicasService {
  private readonly logger = new Logger(ReplicasService.name);

  constructor(
    private readonly instances: InstancesService,
    private readonly statuses: StatusKeeper,
    private readonly clients: TaskInstanceClients,
  ) {}

  /**
   * Passes the wish on to the instance, whose word counts.
   * @throws {SchedulerError} unknown_instance, refused_by_instance, unreachable_instance
   */
  async start(
    ref: string,
    { modelType, ...start }: ReplicaStart,
  ): Promise<ReplicasStarted & { readonly instance: Instance }> {
    const instance = this.instances.get(ref);
    const wish = { modelType: modelType ?? modelServed(instance), ...start };
    const answer = await this.passOn(instance, (client) => client.startModels(wish));
    return { instance, ...answer };
  }

  /**
   * Has that many replicas stopped, or all of them (null).
   * @throws {SchedulerError} unknown_instance, refused_by_instance, unreachable_instance
   */
  async stop(
    ref: string,
    count: number | null,
  ): Promise<ReplicasStopped & { readonly instance: Instance }> {
    const instance = this.instances.get(ref);
    const answer = await this.passOn(instance, (client) => client.stopModels(count));
    return { instance, ...answer };
  }

  private async passOn<T>(
    instance: Instance,
    call: (client: TaskInstanceClient) => Promise<T>,
  ): Promise<T> {
    try {
      const answer = await call(this.clients.for(instance.host, instance.port));
      await this.look(instance);
      return answer;
    } catch (error) {
      if (!(error instanceof TaskInstanceError)) throw error;
      const code = isRefusal(error) ? 'refused_by_instance' : 'unreachable_instance';
      throw new SchedulerError(code, error.message, {}, { cause: error });
    }
  }

  /** The change is made already: an instance that cannot be asked now is asked again by and by. */
  private async look(instance: Instance): Promise<void> {
    try {
      await this.statuses.probe(instance, true);
    } catch (error) {
      if (!(error instanceof TaskInstanceError)) throw error;
      this.logger.debug(error.message);
    }
  }
}

/** The instance has understood and does not want to, or cannot. */
function isRefusal({ status }: TaskInstanceError): boolean {
  return status !== null && status >= 400 && status < 500;
}
