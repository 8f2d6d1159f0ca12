import { Body, Controller, Get, Inject, Post, Query } from '@nestjs/common';
import { configOf } from '../../config/config.module';
import type { Config } from '../../config/config.schema';
import type { Plain } from '../../http/dto-fields';
import { FrontDoor } from '../../http/front-door';
import { QueuesService } from '../../queues/queues.service';
import { BatchSubmitter } from '../../tasks/batch-submitter';
import { TasksService } from '../../tasks/tasks.service';
import {
  QueueInfoAnswerDto,
  QueueInfoQueryDto,
  SubmitAnswerDto,
  SubmitBatchAnswerDto,
  SubmitBatchDto,
  SubmitDto,
} from './dto/queue.dto';
import { SwarmpilotRoute } from './swarmpilot-route';
import { batchTaken, queueInfo, submitted, toSubmission, toSubmissions } from './swarmpilot.mapper';

const ID = '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10';

/** Tasks come in, and the queues tell how long they are. */
@Controller('/queue')
export class QueueController {
  constructor(
    private readonly tasks: TasksService,
    private readonly batches: BatchSubmitter,
    private readonly queues: QueuesService,
    @Inject(configOf('server')) private readonly server: Config['server'],
  ) {}

  /**
   * Submit a task for a model.
   *
   * @remarks The answer means that the task is durable: it ends in exactly one way, whatever
   * crashes. A repeat with the same `task_id` answers with the same task.
   */
  @Post('/submit')
  @FrontDoor()
  @SwarmpilotRoute({
    operationId: 'submitTask',
    answer: SubmitAnswerDto,
    examples: { accepted: { status: 'success', task_id: 'order-4711', scheduled_ti: ID } },
    fails: ['no_instance', 'queue_full'],
  })
  async submit(@Body() body: SubmitDto): Promise<Plain<SubmitAnswerDto>> {
    return submitted(await this.tasks.submit(toSubmission(body)));
  }

  /**
   * Submit many tasks for a model.
   *
   * @remarks Each is taken or refused as if it had come alone, and is durable when its status is
   * `success`: a repeat of the whole batch answers with the same tasks where it names their ids. A
   * batch may have 32 MiB, each task of it as much as any other body. A batch that is wrong in
   * itself is refused whole.
   */
  @Post('/submit_batch')
  @SwarmpilotRoute({
    operationId: 'submitBatch',
    answer: SubmitBatchAnswerDto,
    examples: {
      taken: {
        status: 'success',
        message: '1 of 1 tasks were taken',
        total_tasks: 1,
        successful_tasks: 1,
        failed_tasks: 0,
        results: [
          { index: 0, status: 'success', task_id: 'order-4711', scheduled_ti: ID, error: null },
        ],
      },
      'a queue that is full': {
        status: 'error',
        message: '0 of 1 tasks were taken',
        total_tasks: 1,
        successful_tasks: 0,
        failed_tasks: 1,
        results: [
          {
            index: 0,
            status: 'error',
            task_id: 'order-4711',
            scheduled_ti: null,
            error: '50000 tasks wait for model "llama-3-8b"; the limit of its queue is 50000',
          },
        ],
      },
    },
  })
  async submitBatch(@Body() body: SubmitBatchDto): Promise<Plain<SubmitBatchAnswerDto>> {
    const submissions = toSubmissions(body, this.server.bodyLimitBytes);
    return batchTaken(body, await this.batches.submit(submissions));
  }

  /** Tell how long a task would wait at each instance. */
  @Get('/info')
  @SwarmpilotRoute({
    operationId: 'queueInfo',
    answer: QueueInfoAnswerDto,
    examples: {
      'one instance': {
        status: 'success',
        queues: [
          {
            model_name: 'llama-3-8b',
            ti_uuid: ID,
            waiting_time_expect: 1840.5,
            waiting_time_error: 212.25,
          },
        ],
      },
      'a model that nobody serves': { status: 'success', queues: [] },
    },
    hasBody: false,
  })
  info(@Query() query: QueueInfoQueryDto): Plain<QueueInfoAnswerDto> {
    return queueInfo(this.queues.waits('model', query.model_name));
  }
}
