import { Body, Controller, Post } from '@nestjs/common';
import { strategyName } from '../../core/units';
import type { Plain } from '../../http/dto-fields';
import { QueueSettingsService } from '../../queues/queue-settings.service';
import { SetStrategyAnswerDto, SetStrategyDto } from './dto/scheduler.dto';
import { SwarmpilotRoute } from './swarmpilot-route';
import { toQueue } from './swarmpilot.mapper';

/** How tasks are placed. */
@Controller('/scheduler')
export class SchedulerController {
  constructor(private readonly settings: QueueSettingsService) {}

  /**
   * Choose the strategy that places tasks.
   *
   * @remarks Takes effect on the next placement and survives a restart.
   */
  @Post('/set')
  @SwarmpilotRoute({
    operationId: 'setStrategy',
    answer: SetStrategyAnswerDto,
    examples: {
      chosen: { status: 'success', message: 'OK' },
      'unknown name': {
        status: 'error',
        message: 'unknown strategy "fastest"; valid: earliest, shortest_queue, round_robin',
      },
    },
  })
  async set(@Body() body: SetStrategyDto): Promise<Plain<SetStrategyAnswerDto>> {
    await this.settings.change(toQueue(body), { strategy: strategyName(body.name) });
    return { status: 'success', message: 'OK' };
  }
}
