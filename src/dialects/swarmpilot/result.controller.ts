import { Body, Controller, Inject, Post } from '@nestjs/common';
import { configOf } from '../../config/config.module';
import type { Config } from '../../config/config.schema';
import type { Plain } from '../../http/dto-fields';
import { TaskLifecycle } from '../../tasks/task-lifecycle';
import { ResultSubmitAnswerDto, ResultSubmitDto } from './dto/report.dto';
import { SwarmpilotRoute } from './swarmpilot-route';
import { resultTaken, toResultReport } from './swarmpilot.mapper';

/** Task instances bring results. */
@Controller('/result')
export class ResultController {
  constructor(
    private readonly lifecycle: TaskLifecycle,
    @Inject(configOf('limits')) private readonly limits: Config['limits'],
  ) {}

  /**
   * Bring the result of a task, or say that it failed.
   *
   * @remarks The answer means that the end of the task is durable. A result that is nothing but
   * `{"error": "…"}` is a failure, and so is one above the size limit. A repeat changes nothing and
   * is a success.
   */
  @Post('/submit')
  @SwarmpilotRoute({
    operationId: 'submitResult',
    answer: ResultSubmitAnswerDto,
    examples: {
      recorded: { status: 'success', message: 'recorded' },
      'unknown instance': { status: 'error', message: 'no instance "gpu7" is registered' },
      'unknown task': { status: 'error', message: 'instance "gpu7" has no task "t-17"' },
    },
  })
  async submit(@Body() body: ResultSubmitDto): Promise<Plain<ResultSubmitAnswerDto>> {
    const report = toResultReport(body, this.limits.resultLimitBytes);
    return resultTaken(await this.lifecycle.report(report), body);
  }
}
