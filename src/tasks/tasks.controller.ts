import { Controller, Get, Header, Param } from '@nestjs/common';
import type { DialectRoute } from '../http/dialect';
import { NativeRoute } from '../http/native-route';
import { TasksRepository } from '../persistence/tasks.repository';
import { TaskDto, TaskPathDto } from './dto/task.dto';
import { known, taskAnswer } from './tasks.mapper';
import { TasksService } from './tasks.service';

/** The native calls about tasks. */
export const TASKS_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/v1/tasks/:id', access: 'dialect' },
];

const INSTANCE = '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10';

/** Tasks, as an operator looks at them. */
@Controller('/v1/tasks')
export class TasksController {
  constructor(
    private readonly tasks: TasksService,
    private readonly repository: TasksRepository,
  ) {}

  /** Show a task with its attempts and everything that happened to it. */
  @Get('/:id')
  @Header('Content-Type', 'application/json; charset=utf-8')
  @NativeRoute({
    operationId: 'getTask',
    answer: TaskDto,
    example: {
      id: '0193529e-70a2-7d31-9a30-2f6d0a4f5c11',
      client_task_id: 'order-4711',
      kind: 'model',
      model: 'llama-3-8b',
      state: 'running',
      instance_id: INSTANCE,
      submitted_at: '2026-11-21T10:00:00.000Z',
      finished_at: null,
      execution_ms: null,
      prediction: { method: 'metadata', service_ms: 1200 },
      failure: null,
      attempts: [
        {
          attempt: 1,
          dispatch_id: '0193529e-70a2-7d31-9a30-2f6d0a4f5c12',
          instance_id: INSTANCE,
          state: 'live',
          remote_id: '7',
          reserved_at: '2026-11-21T10:00:00.010Z',
          sent_at: '2026-11-21T10:00:00.015Z',
          running_since: '2026-11-21T10:00:00.015Z',
          ended_at: null,
          execution_ms: null,
        },
      ],
      events: [
        {
          seq: 1,
          type: 'submitted',
          from: null,
          to: 'queued',
          attempt: 0,
          instance_id: null,
          at: '2026-11-21T10:00:00.000Z',
          message: 'submitted',
        },
      ],
      result: null,
    },
    fails: ['unknown_task', 'store_unavailable'],
  })
  async show(@Param() { id }: TaskPathDto): Promise<string> {
    const view = known(id, await this.tasks.find('model', id));
    return taskAnswer(view, await this.repository.timeline(view.id));
  }
}
