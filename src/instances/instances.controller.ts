import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import type { Instance } from '../core/instance';
import type { DialectRoute } from '../http/dialect';
import type { Plain } from '../http/dto-fields';
import { NativeRoute } from '../http/native-route';
import {
  InstanceDto,
  InstancePathDto,
  InstancesDto,
  InstancesQueryDto,
  StartModelsAnswerDto,
  StartModelsDto,
  StopModelsAnswerDto,
  StopModelsDto,
} from './dto/instance.dto';
import { instanceAnswer, startAnswer, stopAnswer } from './instances.mapper';
import { InstancesService } from './instances.service';
import { ReplicasService } from './replicas.service';

/** The native calls about instances. */
export const INSTANCES_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/v1/instances', access: 'dialect' },
  { method: 'GET', path: '/v1/instances/:id', access: 'dialect' },
  { method: 'DELETE', path: '/v1/instances/:id', access: 'key' },
  { method: 'POST', path: '/v1/instances/:id/drain', access: 'key' },
  { method: 'POST', path: '/v1/instances/:id/undrain', access: 'key' },
  { method: 'POST', path: '/v1/instances/:id/models/start', access: 'key' },
  { method: 'POST', path: '/v1/instances/:id/models/stop', access: 'key' },
];

const INSTANCE: Plain<InstanceDto> = {
  id: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10',
  name: 'gpu7-8100',
  kind: 'task_instance',
  host: '127.0.0.1',
  port: 8100,
  tags: [],
  model: 'llama-3-8b',
  health: 'online',
  unfit_because: null,
  draining: false,
  drained_by: [],
  slots: 2,
  occupied: 2,
  waiting: 5,
  speed: 1.07,
  declared_speed: 1,
  speed_outcomes: 412,
  last_contact_at: '2026-11-21T10:00:00.000Z',
  registered_at: '2026-11-21T09:00:00.000Z',
};
const DRAINING: Plain<InstanceDto> = {
  ...INSTANCE,
  unfit_because: 'draining',
  draining: true,
  drained_by: ['operator'],
  waiting: 0,
};

/** Instances, as an operator looks at them. */
@Controller('/v1/instances')
export class InstancesController {
  constructor(
    private readonly instances: InstancesService,
    private readonly replicas: ReplicasService,
  ) {}

  /** List the instances in service. */
  @Get()
  @NativeRoute({
    operationId: 'listInstances',
    answer: InstancesDto,
    example: { instances: [INSTANCE], next_cursor: null },
  })
  list(@Query() query: InstancesQueryDto): Plain<InstancesDto> {
    const { items, nextCursor } = this.instances.page(query);
    return { instances: items.map((each) => this.show(each)), next_cursor: nextCursor };
  }

  /** Show one instance. */
  @Get('/:id')
  @NativeRoute({
    operationId: 'getInstance',
    answer: InstanceDto,
    example: INSTANCE,
    fails: ['unknown_instance'],
  })
  get(@Param() { id }: InstancePathDto): Plain<InstanceDto> {
    return this.show(this.instances.get(id));
  }

  /**
   * Take a drained instance out of service, and show what it was.
   *
   * @remarks For hosts, workers and task instances alike, also those that are lost. While it may get
   * new work, or has tasks that are not over, this is refused. Whoever still runs there registers
   * again, and is still drained then.
   */
  @Delete('/:id')
  @NativeRoute({
    operationId: 'deleteInstance',
    answer: InstanceDto,
    example: { ...DRAINING, unfit_because: 'removed', occupied: 0 },
    fails: ['unknown_instance', 'forbidden_transition', 'store_unavailable'],
  })
  async remove(@Param() { id }: InstancePathDto): Promise<Plain<InstanceDto>> {
    return this.show(await this.instances.retire(id));
  }

  /**
   * Give an instance no new work.
   *
   * @remarks Its running tasks go on to their end, its waiting ones move to others. It holds until it
   * is taken back: over restarts of the scheduler and of the worker, and over a removal.
   */
  @Post('/:id/drain')
  @NativeRoute({
    operationId: 'drainInstance',
    answer: InstanceDto,
    example: DRAINING,
    fails: ['unknown_instance', 'store_unavailable'],
  })
  async drain(@Param() { id }: InstancePathDto): Promise<Plain<InstanceDto>> {
    return this.show(await this.instances.askToDrain(id, true));
  }

  /**
   * Take back that an instance is to get no new work.
   *
   * @remarks A worker that is about to end drains by itself, which nobody can take back: the answer
   * still says `draining`, and `drained_by` names the worker.
   */
  @Post('/:id/undrain')
  @NativeRoute({
    operationId: 'undrainInstance',
    answer: InstanceDto,
    example: INSTANCE,
    fails: ['unknown_instance', 'store_unavailable'],
  })
  async undrain(@Param() { id }: InstancePathDto): Promise<Plain<InstanceDto>> {
    return this.show(await this.instances.askToDrain(id, false));
  }

  /**
   * Start replicas of a model at an instance.
   *
   * @remarks Passed on to the instance, which may take a minute to load a model. What it refuses is
   * answered 409 with its words; when it cannot be reached, 502.
   */
  @Post('/:id/models/start')
  @NativeRoute({
    operationId: 'startModels',
    answer: StartModelsAnswerDto,
    example: {
      instance: INSTANCE,
      detail: 'started 2 replicas of llama-3-8b',
      replicas_started: 2,
      total_replicas: 2,
    },
    fails: ['unknown_instance', 'refused_by_instance', 'unreachable_instance'],
    hasBody: true,
  })
  async startModels(
    @Param() { id }: InstancePathDto,
    @Body() body: StartModelsDto,
  ): Promise<Plain<StartModelsAnswerDto>> {
    const { instance, ...answer } = await this.replicas.start(id, {
      modelType: body.model_type ?? null,
      count: body.count,
      config: body.config,
      gpusPerModel: body.num_gpus_per_model,
    });
    return startAnswer(this.show(instance), answer);
  }

  /**
   * Stop replicas at an instance.
   *
   * @remarks Passed on to the instance. What runs there ends as the instance sees fit.
   */
  @Post('/:id/models/stop')
  @NativeRoute({
    operationId: 'stopModels',
    answer: StopModelsAnswerDto,
    example: {
      instance: { ...INSTANCE, slots: 1 },
      detail: 'stopped 1 replica',
      stopped_replicas: ['replica-2'],
      remaining_replicas: 1,
    },
    fails: ['unknown_instance', 'refused_by_instance', 'unreachable_instance'],
    hasBody: true,
  })
  async stopModels(
    @Param() { id }: InstancePathDto,
    @Body() { count = null }: StopModelsDto,
  ): Promise<Plain<StopModelsAnswerDto>> {
    const { instance, ...answer } = await this.replicas.stop(id, count);
    return stopAnswer(this.show(instance), answer);
  }

  private show(instance: Instance): Plain<InstanceDto> {
    return instanceAnswer(instance, this.instances.unfitBecause(instance));
  }
}
