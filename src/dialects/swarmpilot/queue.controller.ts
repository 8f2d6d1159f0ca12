import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import type { Plain } from '../../http/dto-fields';
import { QueuesService } from '../../queues/queues.service';
import { TasksService } from '../../tasks/tasks.service';
import { QueueInfoAnswerDto, QueueInfoQueryDto, SubmitAnswerDto, SubmitDto } from './dto/queue.dto';
import { SwarmpilotRoute } from './swarmpilot-route';
import { queueInfo, submitted, toSubmission } from './swarmpilot.mapper';

const ID = '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10';

/** Tasks come in, and the queues tell how long they are. */
@Controller('/queue')
export class QueueController {
  constructor(
    private readonly tasks: TasksService,
    private readonly queues: QueuesService,
  ) {}

  /**
   * Submit a task for a model.
   *
   * @remarks The answer means that the task is durable: it ends in exactly one way, whatever
   * crashes. A repeat with the same `task_id` answers with the same task.
   */
  @Post('/submit')
  @SwarmpilotRoute({
    operationId: 'submitTask',
    answer: SubmitAnswerDto,
    examples: { accepted: { status: 'success', task_id: 'order-4711', scheduled_ti: ID } },
    fails: ['no_instance', 'queue_full'],
  })
  async submit(@Body() body: SubmitDto): Promise<Plain<SubmitAnswerDto>> {
    return submitted(await this.tasks.submit(toSubmission(body)));
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
