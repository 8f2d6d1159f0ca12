import {
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
} from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import type { Clock } from '../core/ports';
import { CLOCK } from '../ops/system';
import {
  EnqueueDto,
  ResultsQueryDto,
  StartModelsDto,
  StopModelsDto,
} from './dto/task-instance.dto';
import { SCHEDULER_LINK, type SchedulerLink } from './scheduler-link';
import { TaskRecord } from './task-record';
import { TaskRunner } from './task-runner';
import { forgottenJson, taskJson } from './wire';
import { WorkerIdentity } from './worker-identity';

/** The calls of contracts/task-instance.md. */
@Controller()
export class TaskInstanceController {
  constructor(
    private readonly runner: TaskRunner,
    private readonly identity: WorkerIdentity,
    @Inject(SCHEDULER_LINK) private readonly scheduler: SchedulerLink | null,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post('/models/start')
  @HttpCode(200)
  startModels(@Body() { model_type: model, count }: StartModelsDto): object {
    const changed = model !== this.identity.model;
    this.runner.startModels(model, count);
    if (changed) this.scheduler?.registrar.register();
    return {
      detail: `Started ${count} replica(s)`,
      model_type: model,
      replicas_started: count,
      total_replicas: this.runner.replicas,
    };
  }

  @Post('/models/stop')
  @HttpCode(200)
  stopModels(@Body() { count }: StopModelsDto): object {
    const stopped = this.runner.stopModels(count);
    return {
      detail: `Stopped ${stopped.length} replica(s)`,
      stopped_replicas: stopped,
      remaining_replicas: this.runner.replicas,
    };
  }

  @Get('/status')
  status(): object {
    return {
      instance_id: this.identity.instanceId,
      model_type: this.runner.model,
      replicas_running: this.runner.usableReplicas,
      queue_size: this.runner.waiting,
      status: this.runner.busy ? 'running' : 'idle',
      dispatch_ids: true,
      draining: this.runner.draining,
      speed: this.runner.speed,
    };
  }

  @Post('/queue/enqueue')
  @HttpCode(200)
  enqueue(@Body() body: EnqueueDto): object {
    this.heardOfScheduler();
    const receipt = this.runner.enqueue({
      input: body.input_data,
      metadata: body.metadata,
      taskId: body.task_id ?? null,
      model: body.model_name ?? null,
    });
    return {
      task_id: receipt.remoteId,
      queue_size: receipt.queueSize,
      enqueue_time: receipt.enqueuedWallMs / 1000,
    };
  }

  @Post('/queue/predict')
  @HttpCode(200)
  predict(): object {
    this.heardOfScheduler();
    const { expectedMs, errorMs } = this.runner.predict();
    return { expected_ms: expectedMs, error_ms: errorMs, queue_size: this.runner.waiting };
  }

  @Get('/queue/status')
  queueStatus(): object {
    const { expectedMs, errorMs } = this.runner.predict();
    return {
      queue_size: this.runner.waiting,
      model_type: this.runner.model,
      expected_ms: expectedMs,
      error_ms: errorMs,
    };
  }

  /** Finished tasks; with a dispatch id, the one attempt in whatever state, or nothing. */
  @Get('/results')
  @Header('Content-Type', 'application/json; charset=utf-8')
  results(@Query() { dispatch_id: dispatchId }: ResultsQueryDto): string {
    const texts = dispatchId === undefined ? this.finished() : this.attempt(dispatchId);
    return `[${texts.join(',')}]`;
  }

  @Get('/results/:task_id')
  @Header('Content-Type', 'application/json; charset=utf-8')
  result(@Param('task_id') taskId: string): string {
    const record = this.runner.find(taskId);
    if (record?.phase.kind !== 'settled') {
      const message = `there is no result of task ${taskId.slice(0, 80)} here (yet)`;
      throw new SchedulerError('unknown_task', message);
    }
    return taskJson(record, this.clock.now());
  }

  /**
   * Said of the calls that nobody but a scheduler makes; it predicts after each poll of the status.
   * The status itself is also what a health check asks for, and would hide that the scheduler no
   * longer does.
   */
  private heardOfScheduler(): void {
    this.scheduler?.registrar.contact();
  }

  private finished(): string[] {
    const texts: string[] = [];
    for (const record of this.runner.tasks()) {
      if (record.phase.kind === 'settled') texts.push(taskJson(record, this.clock.now()));
    }
    return texts;
  }

  private attempt(dispatchId: string): string[] {
    const known = this.runner.findAttempt(dispatchId);
    if (known === undefined) return [];
    if (known instanceof TaskRecord) return [taskJson(known, this.clock.now())];
    return [forgottenJson(known, dispatchId)];
  }
}
