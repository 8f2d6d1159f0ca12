import { applyDecorators, Controller, Get, HttpCode } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { VERSION } from '../../config/version';
import type { SchedulerError } from '../../core/errors';
import type { ErrorAnswer } from '../../http/dialect';
import { documentErrors, SAMPLE_REQUEST_ID } from '../../http/document-errors';
import type { Plain } from '../../http/dto-fields';
import { DatabaseProbe } from '../../persistence/database-probe';
import { TaskRecorder } from '../../tasks/task-recorder';
import { SwarmpilotErrorDto } from './dto/error.dto';
import { HealthDto, UnhealthyDto } from './dto/health.dto';
import { errorAnswer, HEALTH_PATH } from './swarmpilot.errors';
import { health } from './swarmpilot.mapper';

/** `/health` fails in a shape of its own, and is asked without a key. */
function HealthRoute(): MethodDecorator {
  const answer = (error: SchedulerError): ErrorAnswer =>
    errorAnswer(error, SAMPLE_REQUEST_ID, HEALTH_PATH);
  const example: Plain<HealthDto> = {
    status: 'healthy',
    service: 'scheduler',
    version: VERSION,
    details: {
      postgresql: {
        version: '18.4',
        fsync: 'on',
        synchronous_commit: 'on',
        full_page_writes: 'on',
      },
    },
  };
  return applyDecorators(
    HttpCode(200),
    ApiOperation({ operationId: 'health', tags: ['SwarmPilot'], security: [] }),
    ApiOkResponse({ type: HealthDto, description: 'Healthy.', example }),
    ...documentErrors({
      answer,
      codes: ['store_unavailable', 'not_leading'],
      schema: UnhealthyDto,
    }),
    ...documentErrors({ answer, codes: ['forbidden', 'internal'], schema: SwarmpilotErrorDto }),
  );
}

/** Whether the scheduler can work. */
@Controller()
export class HealthController {
  constructor(
    private readonly recorder: TaskRecorder,
    private readonly database: DatabaseProbe,
  ) {}

  /** Tell whether tasks can be taken, placed and recorded. */
  @Get(HEALTH_PATH)
  @HealthRoute()
  async check(): Promise<Plain<HealthDto>> {
    return health(await this.database.durability(), this.recorder.canRecord);
  }
}
