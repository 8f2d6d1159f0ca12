import { Controller, Get, Header, Query } from '@nestjs/common';
import { known } from '../../tasks/tasks.mapper';
import { TasksService } from '../../tasks/tasks.service';
import { TaskAnswerDto, TaskQueryDto } from './dto/task.dto';
import { SwarmpilotRoute } from './swarmpilot-route';
import { taskAnswer } from './swarmpilot.mapper';

const TASK = {
  task_id: 'order-4711',
  scheduled_ti: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10',
  submit_time: 1795257600.25,
};

/** What became of tasks. */
@Controller('/task')
export class TaskController {
  constructor(private readonly tasks: TasksService) {}

  /**
   * Ask where a task stands, and for its result.
   *
   * @remarks The result is shown once it is durable, exactly as the instance sent it.
   */
  @Get('/query')
  @Header('Content-Type', 'application/json; charset=utf-8')
  @SwarmpilotRoute({
    operationId: 'queryTask',
    answer: TaskAnswerDto,
    examples: {
      completed: {
        ...TASK,
        task_status: 'completed',
        result: { output: 'Because of Rayleigh scattering.' },
      },
      failed: { ...TASK, task_status: 'completed', result: { error: 'out of memory' } },
      waiting: { ...TASK, task_status: 'queued', result: null },
    },
    fails: ['unknown_task'],
    hasBody: false,
  })
  async query(@Query() { task_id: ref }: TaskQueryDto): Promise<string> {
    return taskAnswer(known(ref, await this.tasks.find('model', ref)));
  }
}
