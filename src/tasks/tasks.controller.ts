import { Body, Controller, Get, Header, Inject, Param, Post, Query, Req } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { Fleet } from '../core/fleet';
import { NO_OUTLOOK, outlookOf } from '../core/forecast';
import type { Clock } from '../core/ports';
import { callerOf } from '../http/caller';
import type { DialectRoute } from '../http/dialect';
import type { Plain } from '../http/dto-fields';
import { NativeRoute } from '../http/native-route';
import { CLOCK } from '../ops/system';
import { TasksRepository } from '../persistence/tasks.repository';
import { TaskListDto, TaskListQueryDto } from './dto/task-list.dto';
import { CancelDto, TaskDto, TaskPathDto } from './dto/task.dto';
import { TaskList } from './task-list';
import { questionOf } from './task-list-query';
import type { TaskView } from './task-view';
import { CANCELLED_TASK, RUNNING_TASK, TASK_LIST } from './tasks.examples';
import { cancellation, known, taskAnswer, taskListAnswer } from './tasks.mapper';
import { TasksService } from './tasks.service';

/** The native calls about tasks. */
export const TASKS_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/v1/tasks', access: 'dialect' },
  { method: 'GET', path: '/v1/tasks/:id', access: 'dialect' },
  { method: 'POST', path: '/v1/tasks/:id/cancel', access: 'key' },
];

const JSON_TYPE = 'application/json; charset=utf-8';

/** Tasks, as an operator looks at them. */
@Controller('/v1/tasks')
export class TasksController {
  constructor(
    private readonly tasks: TasksService,
    private readonly list: TaskList,
    private readonly repository: TasksRepository,
    private readonly fleet: Fleet,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** List tasks, live and finished ones, newest first. */
  @Get()
  @NativeRoute({
    operationId: 'listTasks',
    answer: TaskListDto,
    example: TASK_LIST,
    fails: ['unknown_instance', 'store_unavailable'],
  })
  async newest(@Query() query: TaskListQueryDto): Promise<Plain<TaskListDto>> {
    const question = questionOf(query, this.clock.wallMs());
    return taskListAnswer(await this.list.page(question, query.limit, query.cursor));
  }

  /**
   * Show a task with everything that happened to it, why it waits, and when it will run.
   *
   * @remarks Why it waits and when it will run are told of live tasks only, as things are now.
   */
  @Get('/:id')
  @Header('Content-Type', JSON_TYPE)
  @NativeRoute({
    operationId: 'getTask',
    answer: TaskDto,
    example: RUNNING_TASK,
    fails: ['unknown_task', 'store_unavailable'],
  })
  async show(@Param() { id }: TaskPathDto): Promise<string> {
    return this.answer(known(id, await this.tasks.findAny(id)));
  }

  /**
   * Cancel a task that has not ended.
   *
   * @remarks The answer means that the end is durable. A worker that has the task goes on with it,
   * as it cannot be told to stop: its slot counts until it is through, and its result is dropped. A
   * batch job that runs is `stopping` until its processes have ended.
   */
  @Post('/:id/cancel')
  @Header('Content-Type', JSON_TYPE)
  @NativeRoute({
    operationId: 'cancelTask',
    answer: TaskDto,
    example: CANCELLED_TASK,
    fails: [
      'unknown_task',
      'forbidden_transition',
      'malformed_body',
      'body_too_large',
      'unsupported_content',
      'store_unavailable',
    ],
  })
  async cancel(
    @Param() { id }: TaskPathDto,
    @Body() { reason }: CancelDto,
    @Req() request: IncomingMessage,
  ): Promise<string> {
    const why = cancellation(callerOf(request), reason);
    return this.answer(known(id, await this.tasks.cancel(id, why)));
  }

  private async answer(view: TaskView): Promise<string> {
    // Before the record is read: this belongs to the state that the view shows.
    const task = this.fleet.tasks.get(view.id);
    const outlook = task ? outlookOf(this.fleet, task, this.clock.now()) : NO_OUTLOOK;
    return taskAnswer(view, outlook, await this.repository.timeline(view.id));
  }
}
