import { Controller, Get } from '@nestjs/common';
import type { DialectRoute } from '../http/dialect';
import type { Plain } from '../http/dto-fields';
import { NativeRoute } from '../http/native-route';
import { QueuesDto } from './dto/queue.dto';
import { queuesAnswer } from './queues.mapper';
import { QueuesService } from './queues.service';

/** The native calls about queues. */
export const QUEUES_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/v1/queues', access: 'dialect' },
];

/** Queues, as an operator looks at them. */
@Controller('/v1/queues')
export class QueuesController {
  constructor(private readonly queues: QueuesService) {}

  /** List the queues and the waits at their instances. */
  @Get()
  @NativeRoute({
    operationId: 'listQueues',
    answer: QueuesDto,
    example: {
      queues: [
        {
          model: 'llama-3-8b',
          strategy: 'earliest',
          order_weight: 2,
          waiting: 5,
          instances: [
            {
              instance_id: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10',
              instance_name: 'gpu7-8100',
              wait_ms: 1840.5,
              wait_error_ms: 212.25,
            },
          ],
        },
      ],
    },
  })
  list(): Plain<QueuesDto> {
    return queuesAnswer(this.queues.list('model'), this.queues.waits('model'));
  }
}
