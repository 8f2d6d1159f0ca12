import { Controller, Get, Header, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Plain } from '../../http/dto-fields';
import { streamJson } from '../../http/stream-json';
import { ModelTaskList } from '../../tasks/model-task-list';
import { known } from '../../tasks/tasks.mapper';
import { TasksService } from '../../tasks/tasks.service';
import {
  AllTasksAnswerDto,
  AllTasksQueryDto,
  ClearAnswerDto,
  TaskAnswerDto,
  TaskQueryDto,
} from './dto/task.dto';
import { SwarmpilotRoute } from './swarmpilot-route';
import { allTasks, cleared, taskAnswer } from './swarmpilot.mapper';

const TASK = {
  task_id: 'order-4711',
  scheduled_ti: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10',
  submit_time: 1795257600.25,
};

/** What became of tasks. */
@Controller('/task')
export class TaskController {
  constructor(
    private readonly tasks: TasksService,
    private readonly list: ModelTaskList,
  ) {}

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

  /**
   * List the model tasks, live and completed, the newest first.
   *
   * @remarks `total_tasks` counts all of them, exactly. Tasks that are submitted while a client
   * pages through push the others down.
   */
  @Get('/all_tasks')
  @SwarmpilotRoute({
    operationId: 'listModelTasks',
    answer: AllTasksAnswerDto,
    examples: {
      'one task': {
        status: 'success',
        total_tasks: 1,
        tasks: [
          {
            ...TASK,
            task_status: 'completed',
            model_name: 'llama-3-8b',
            completion_time: 1795257602.5,
            result: { output: 'Because of Rayleigh scattering.' },
          },
        ],
      },
      none: { status: 'success', total_tasks: 0, tasks: [] },
    },
    hasBody: false,
  })
  async all(@Query() query: AllTasksQueryDto, @Res() response: Response): Promise<void> {
    await streamJson(response, allTasks(await this.list.page(query)));
  }

  /**
   * Clear the history: every model task that is completed.
   *
   * @remarks They are gone, with their results: their ids are unknown afterwards and may be used
   * anew. Live tasks stay, and so does one whose instance is not through with it yet, as after a
   * time limit.
   */
  @Post('/clear')
  @SwarmpilotRoute({
    operationId: 'clearModelTasks',
    answer: ClearAnswerDto,
    examples: {
      cleared: {
        status: 'success',
        message: '12 finished tasks were cleared',
        cleared_count: 12,
      },
    },
  })
  async clear(): Promise<Plain<ClearAnswerDto>> {
    return cleared(await this.list.clear());
  }
}
