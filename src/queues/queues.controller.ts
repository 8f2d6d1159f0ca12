import { Body, Controller, Get, Param, Patch, Post } from '@nestjs/common';
import { queueKey } from '../core/queue';
import type { SettingsChange } from '../core/queue-settings';
import type { DialectRoute } from '../http/dialect';
import type { Plain } from '../http/dto-fields';
import { NativeRoute } from '../http/native-route';
import { TaskStatistics } from '../tasks/task-statistics';
import {
  QueueChangeDto,
  QueueDetailsDto,
  QueueDto,
  QueuePathDto,
  QueuesDto,
  type TaskTimesDto,
} from './dto/queue.dto';
import { QueueSettingsService } from './queue-settings.service';
import { queueAnswer, statisticsAnswer, toSettingsChange } from './queues.mapper';
import { QueuesService } from './queues.service';

/** The native calls about queues. */
export const QUEUES_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/v1/queues', access: 'dialect' },
  { method: 'GET', path: '/v1/queues/:model', access: 'dialect' },
  { method: 'PATCH', path: '/v1/queues/:model', access: 'key' },
  { method: 'POST', path: '/v1/queues/:model/pause', access: 'key' },
  { method: 'POST', path: '/v1/queues/:model/resume', access: 'key' },
];

const QUEUE: Plain<QueueDto> = {
  model: 'llama-3-8b',
  strategy: 'earliest',
  order_weight: 2,
  prefetch: 0,
  limit: 50_000,
  attempt_timeout_ms: 3_600_000,
  paused: false,
  waiting: 5,
  running: 2,
  unfit: { no_replicas: 1 },
  instances: [
    {
      instance_id: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10',
      instance_name: 'gpu7-8100',
      wait_ms: 1840.5,
      wait_error_ms: 212.25,
    },
  ],
};
const TIMES: Plain<TaskTimesDto> = {
  tasks: 1000,
  wait_ms: { p50: 120, p90: 640.5, p95: 900, p99: 1410.25, max: 2015, mean: 231.5 },
  service_ms: { p50: 480.5, p90: 910, p95: 1020.25, p99: 1850, max: 2200, mean: 530.75 },
  total_ms: { p50: 650, p90: 1430, p95: 1800.5, p99: 2900, max: 3805, mean: 771 },
};

/** Queues, as an operator looks at them. */
@Controller('/v1/queues')
export class QueuesController {
  constructor(
    private readonly queues: QueuesService,
    private readonly settings: QueueSettingsService,
    private readonly statistics: TaskStatistics,
  ) {}

  /** List the queues and the waits at their instances. */
  @Get()
  @NativeRoute({
    operationId: 'listQueues',
    answer: QueuesDto,
    example: { queues: [QUEUE] },
  })
  list(): Plain<QueuesDto> {
    return { queues: this.queues.list('model').map(queueAnswer) };
  }

  /** Show one queue, and what its finished tasks took. */
  @Get('/:model')
  @NativeRoute({
    operationId: 'getQueue',
    answer: QueueDetailsDto,
    example: { ...QUEUE, statistics: { last_tasks: TIMES, last_hour: TIMES } },
    fails: ['unknown_queue', 'store_unavailable'],
  })
  async get(@Param() { model }: QueuePathDto): Promise<Plain<QueueDetailsDto>> {
    const queue = queueAnswer(this.queues.get('model', model));
    return { ...queue, statistics: statisticsAnswer(await this.statistics.of(model)) };
  }

  /**
   * Set how a queue is served.
   *
   * @remarks What is not named stays as it is. Takes effect on the next placement and survives a
   * restart. A queue without instances may be set up before the first one comes.
   */
  @Patch('/:model')
  @NativeRoute({
    operationId: 'changeQueue',
    answer: QueueDto,
    example: { ...QUEUE, strategy: 'shortest_queue', prefetch: 1 },
    fails: ['unknown_strategy', 'store_unavailable'],
    hasBody: true,
  })
  change(@Param() { model }: QueuePathDto, @Body() body: QueueChangeDto): Promise<Plain<QueueDto>> {
    return this.set(model, toSettingsChange(body));
  }

  /**
   * Place no more tasks of a queue.
   *
   * @remarks Tasks are taken and kept; what is at instances goes on to its end. Holds over a restart.
   */
  @Post('/:model/pause')
  @NativeRoute({
    operationId: 'pauseQueue',
    answer: QueueDto,
    example: { ...QUEUE, paused: true, running: 0, unfit: { paused: 2 } },
    fails: ['store_unavailable'],
  })
  pause(@Param() { model }: QueuePathDto): Promise<Plain<QueueDto>> {
    return this.set(model, { paused: true });
  }

  /** Place the tasks of a paused queue again. */
  @Post('/:model/resume')
  @NativeRoute({
    operationId: 'resumeQueue',
    answer: QueueDto,
    example: QUEUE,
    fails: ['store_unavailable'],
  })
  resume(@Param() { model }: QueuePathDto): Promise<Plain<QueueDto>> {
    return this.set(model, { paused: false });
  }

  private async set(model: string, change: SettingsChange): Promise<Plain<QueueDto>> {
    await this.settings.change(queueKey('model', model), change);
    return queueAnswer(this.queues.get('model', model));
  }
}
