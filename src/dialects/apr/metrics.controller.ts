import { Controller, Get } from '@nestjs/common';
import type { Plain } from '../../http/dto-fields';
import { HostsService } from '../../instances/hosts.service';
import { JobsService } from '../../tasks/jobs.service';
import { AprRoute } from './apr-route';
import { success, summaryAnswer } from './apr.mapper';
import { SummaryAnswerDto } from './dto/summary.dto';

/** Jobs and hosts in figures. */
@Controller('/scheduler/metrics')
export class AprMetricsController {
  constructor(
    private readonly jobs: JobsService,
    private readonly hosts: HostsService,
  ) {}

  /** Count jobs and hosts. */
  @Get('/summary')
  @AprRoute({
    operationId: 'jobSummary',
    answer: SummaryAnswerDto,
    example: {
      total_jobs: 100,
      status_counts: { SUCCESS: 97, FAILED: 1, RUNNING: 2 },
      finished_jobs: 98,
      success_rate: 0.9898,
      total_hosts: 5,
      total_slots: 40,
      used_slots: 2,
    },
  })
  async summary(): Promise<Plain<SummaryAnswerDto>> {
    return success(summaryAnswer(await this.jobs.counts(), this.hosts.all()));
  }
}
