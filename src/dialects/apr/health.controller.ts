import { Controller, Get } from '@nestjs/common';
import type { Plain } from '../../http/dto-fields';
import { AprRoute } from './apr-route';
import { success } from './apr.mapper';
import { HealthAnswerDto } from './dto/health.dto';

/** Whether anybody is there. */
@Controller('/scheduler/health')
export class AprHealthController {
  /** Tell that the scheduler is there. */
  @Get()
  @AprRoute({
    operationId: 'aprHealth',
    answer: HealthAnswerDto,
    example: { service: 'apr_scheduler' },
    message: 'ok',
  })
  health(): Plain<HealthAnswerDto> {
    return success({ service: 'apr_scheduler' }, 'ok');
  }
}
