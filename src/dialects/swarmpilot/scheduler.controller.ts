import { Body, Controller, Post } from '@nestjs/common';
import { strategyName } from '../../core/units';
import type { Plain } from '../../http/dto-fields';
import { PredictionModeService } from '../../predictions/prediction-mode.service';
import { QueueSettingsService } from '../../queues/queue-settings.service';
import { SetPredictModeDto, SetStrategyDto, SettingAnswerDto } from './dto/scheduler.dto';
import { SwarmpilotRoute } from './swarmpilot-route';
import { modeSet, toQueue } from './swarmpilot.mapper';

/** How tasks are placed, and where their predictions come from. */
@Controller('/scheduler')
export class SchedulerController {
  constructor(
    private readonly settings: QueueSettingsService,
    private readonly modes: PredictionModeService,
  ) {}

  /**
   * Choose the strategy that places tasks.
   *
   * @remarks Takes effect on the next placement and survives a restart.
   */
  @Post('/set')
  @SwarmpilotRoute({
    operationId: 'setStrategy',
    answer: SettingAnswerDto,
    examples: {
      chosen: { status: 'success', message: 'OK' },
      'unknown name': {
        status: 'error',
        message: 'unknown strategy "fastest"; valid: earliest, shortest_queue, round_robin',
      },
    },
  })
  async set(@Body() body: SetStrategyDto): Promise<Plain<SettingAnswerDto>> {
    await this.settings.change(toQueue(body), { strategy: strategyName(body.name) });
    return { status: 'success', message: 'OK' };
  }

  /**
   * Choose where predictions come from.
   *
   * @remarks Takes effect on the next submission and survives a restart.
   */
  @Post('/predict_mode')
  @SwarmpilotRoute({
    operationId: 'setPredictMode',
    answer: SettingAnswerDto,
    examples: {
      chosen: { status: 'success', message: 'OK' },
      'unknown mode': {
        status: 'error',
        message: 'unknown mode "oracle"; valid: default, lookup_table',
      },
    },
  })
  async setPredictMode(@Body() body: SetPredictModeDto): Promise<Plain<SettingAnswerDto>> {
    return modeSet(await this.modes.choose(body.mode));
  }
}
