import { Body, Controller, Get, Patch } from '@nestjs/common';
import { Fleet } from '../core/fleet';
import { BATCH_QUEUE, queueName } from '../core/queue';
import type { DialectRoute } from '../http/dialect';
import type { Plain } from '../http/dto-fields';
import { NativeRoute } from '../http/native-route';
import { BatchQueueDto } from './dto/batch-queue.dto';
import { QueueChangeDto } from './dto/queue.dto';
import { QueueSettingsService } from './queue-settings.service';
import { toSettingsChange } from './queues.mapper';
import { QueuesService } from './queues.service';

/** The native calls about the queue of batch jobs. */
export const BATCH_QUEUE_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/v1/batch-queue', access: 'dialect' },
  { method: 'PATCH', path: '/v1/batch-queue', access: 'key' },
];

const QUEUE: Plain<BatchQueueDto> = {
  strategy: 'least_loaded',
  order_weight: 2,
  limit: 50_000,
  paused: false,
  waiting: 12,
  running: 40,
  unfit: { suspect: 1 },
};

/** The queue of batch jobs, which all hosts serve, as an operator looks at it. */
@Controller('/v1/batch-queue')
export class BatchQueueController {
  constructor(
    private readonly fleet: Fleet,
    private readonly queues: QueuesService,
    private readonly settings: QueueSettingsService,
  ) {}

  /** Show how batch jobs are placed, and how many wait. */
  @Get()
  @NativeRoute({ operationId: 'getBatchQueue', answer: BatchQueueDto, example: QUEUE })
  get(): Plain<BatchQueueDto> {
    const { strategy, orderG, limit, paused } = this.fleet.settingsFor(BATCH_QUEUE);
    const isThere = this.fleet.queues.has(BATCH_QUEUE);
    const { queue, running, unfit } = isThere
      ? this.queues.get('batch', queueName(BATCH_QUEUE))
      : NO_QUEUE;
    return {
      strategy,
      order_weight: orderG,
      limit,
      paused,
      waiting: queue.waiting,
      running,
      unfit,
    };
  }

  /**
   * Set how batch jobs are placed.
   *
   * @remarks What is not named stays as it is. Takes effect on the next placement and survives a
   * restart. While the queue is paused jobs are taken and kept, and none is started. A prefetch and a
   * time limit mean nothing to jobs, which bring their own limit.
   */
  @Patch()
  @NativeRoute({
    operationId: 'changeBatchQueue',
    answer: BatchQueueDto,
    example: { ...QUEUE, strategy: 'best_fit' },
    fails: ['unknown_strategy', 'store_unavailable'],
    hasBody: true,
  })
  async change(@Body() body: QueueChangeDto): Promise<Plain<BatchQueueDto>> {
    await this.settings.change(BATCH_QUEUE, toSettingsChange(body));
    return this.get();
  }
}

/** As long as there is neither host nor job nor setting. */
const NO_QUEUE = { queue: { waiting: 0 }, running: 0, unfit: {} };
