import { Controller, Get, HttpCode, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { SchedulerError } from '../core/errors';
import type { DialectRoute } from '../http/dialect';
import type { Plain } from '../http/dto-fields';
import { NativeErrors } from '../http/native-route';
import { TERM, type Term } from '../ops/term';
import { DatabaseProbe } from '../persistence/database-probe';
import { TaskRecorder } from '../tasks/task-recorder';
import { ReadinessDto } from './dto/readiness.dto';

/** Where the process tells whether work should be sent to it. */
export const READINESS_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/readyz', access: 'open' },
];

/** Whether this process leads and can record: a standby answers in its place with the reason. */
@Controller()
export class ReadinessController {
  constructor(
    private readonly database: DatabaseProbe,
    private readonly recorder: TaskRecorder,
    @Inject(TERM) private readonly term: Term,
  ) {}

  /** Tell whether tasks can be taken here; 503 says why not. */
  @Get('/readyz')
  @HttpCode(200)
  @ApiOperation({ operationId: 'readyz', tags: ['Service'], security: [] })
  @ApiOkResponse({
    type: ReadinessDto,
    description: 'It leads, and the database answers.',
    example: { status: 'ready', epoch: 3 },
  })
  @NativeErrors('forbidden', 'store_unavailable', 'not_leading')
  async ready(): Promise<Plain<ReadinessDto>> {
    if (!(await this.database.durability())) throw notReady('the database does not answer');
    if (!this.recorder.canRecord) throw notReady('what happens to tasks cannot be recorded');
    return { status: 'ready', epoch: this.term.epoch };
  }
}

function notReady(why: string): SchedulerError {
  return new SchedulerError('store_unavailable', why);
}
