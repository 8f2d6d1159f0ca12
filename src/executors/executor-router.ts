import { Injectable } from '@nestjs/common';
import type { Executor, StartRequest, StartResult, Target } from './executor';
import { HostExecutor } from './host.executor';
import { TaskInstanceExecutor } from './task-instance.executor';

/** Hands each attempt to the executor of its kind of instance. */
@Injectable()
export class ExecutorRouter implements Executor {
  constructor(
    private readonly taskInstances: TaskInstanceExecutor,
    private readonly hosts: HostExecutor,
  ) {}

  start(target: Target, request: StartRequest): Promise<StartResult> {
    const executor = target.kind === 'host' ? this.hosts : this.taskInstances;
    return executor.start(target, request);
  }
}
