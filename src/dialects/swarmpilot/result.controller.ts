import { Body, Controller, Header, Inject, Post } from '@nestjs/common';
import { configOf } from '../../config/config.module';
import type { Config } from '../../config/config.schema';
import type { Plain } from '../../http/dto-fields';
import { FrontDoor } from '../../http/front-door';
import { TaskLifecycle } from '../../tasks/task-lifecycle';
import { known } from '../../tasks/tasks.mapper';
import { TasksService } from '../../tasks/tasks.service';
import {
  ResultFetchAnswerDto,
  ResultFetchDto,
  ResultSubmitAnswerDto,
  ResultSubmitDto,
} from './dto/report.dto';
import { SwarmpilotRoute } from './swarmpilot-route';
import { resultTaken, toResultReport } from './reports.mapper';
import { resultAnswer } from './swarmpilot.mapper';

/** Task instances bring results, and clients fetch them. */
@Controller('/result')
export class ResultController {
  constructor(
    private readonly tasks: TasksService,
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
  @FrontDoor()
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

  /**
   * Fetch the result of a task.
   *
   * @remarks It is shown once it is durable, exactly as the instance sent it.
   */
  @Post('/fetch')
  @Header('Content-Type', 'application/json; charset=utf-8')
  @SwarmpilotRoute({
    operationId: 'fetchResult',
    answer: ResultFetchAnswerDto,
    examples: {
      completed: { result: { output: 'Because of Rayleigh scattering.' } },
      failed: { result: { error: 'out of memory' } },
      'not completed': { result: null },
    },
    fails: ['unknown_task'],
  })
  async fetch(@Body() { task_id: ref }: ResultFetchDto): Promise<string> {
    return resultAnswer(known(ref, await this.tasks.find('model', ref)));
  }
}
