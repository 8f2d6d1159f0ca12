import { Body, Controller, Inject, Post } from '@nestjs/common';
import type { Clock } from '../../core/ports';
import type { Plain } from '../../http/dto-fields';
import { FrontDoor } from '../../http/front-door';
import { CLOCK } from '../../ops/system';
import { TaskLifecycle } from '../../tasks/task-lifecycle';
import { TaskCompleteAnswerDto, TaskCompleteDto } from './dto/report.dto';
import { SwarmpilotRoute } from './swarmpilot-route';
import { notified, toNotification } from './reports.mapper';

/** Task instances say that they are through with a task. */
@Controller('/notify')
export class NotifyController {
  constructor(
    private readonly lifecycle: TaskLifecycle,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Report that a task is through; its result is fetched from the instance.
   *
   * @remarks A repeat changes nothing and is a success.
   */
  @Post('/task_complete')
  @FrontDoor()
  @SwarmpilotRoute({
    operationId: 'notifyTaskComplete',
    answer: TaskCompleteAnswerDto,
    examples: {
      recorded: { status: 'success', message: 'recorded', total_time_ms: 1932.75 },
      'unknown instance': {
        status: 'warning',
        message: 'no instance "gpu7" is registered',
        total_time_ms: null,
      },
      'unknown task': {
        status: 'warning',
        message: 'instance "gpu7" has no task "t-17"',
        total_time_ms: null,
      },
    },
  })
  async taskComplete(@Body() body: TaskCompleteDto): Promise<Plain<TaskCompleteAnswerDto>> {
    const answer = await this.lifecycle.report(toNotification(body));
    return notified(answer, body, this.clock.now());
  }
}
