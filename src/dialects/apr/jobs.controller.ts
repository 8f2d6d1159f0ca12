import { Body, Controller, Get, Headers, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { Response } from 'express';
import type { Plain } from '../../http/dto-fields';
import { streamJson } from '../../http/stream-json';
import { TasksRepository } from '../../persistence/tasks.repository';
import type { JobView } from '../../tasks/job-view';
import { JobSubmitter } from '../../tasks/job-submitter';
import { JobsService } from '../../tasks/jobs.service';
import { AprRoute } from './apr-route';
import { JOB_DETAIL, RERUN_JOB, RUNNING_JOB, WAITING_JOB } from './apr.examples';
import { toKey, toSubmission, toSubmissions } from './apr.input';
import { jobAnswer, jobDetail, jobsAnswer, success, toFilter } from './apr.mapper';
import {
  JobAnswerDto,
  JobDetailAnswerDto,
  JobListQueryDto,
  JobPathDto,
  JobsAnswerDto,
  OperatorQueryDto,
} from './dto/job.dto';
import { SubmitBatchDto, SubmitJobDto } from './dto/submit-job.dto';

const KEY = 'idempotency-key';
const KEY_HEADER = {
  name: KEY,
  required: false,
  description:
    "The client's own name for this submission, 1 to 200 printable ASCII characters: a repeat of it " +
    'gets the first answer, and no second job.',
  schema: { type: 'string', example: 'nightly-2026-11-21' },
};

/** Shell jobs: submitted, shown, paused, resumed, stopped, run again. */
@Controller('/scheduler/jobs')
export class JobsController {
  constructor(
    private readonly jobs: JobsService,
    private readonly submitter: JobSubmitter,
    private readonly tasks: TasksRepository,
  ) {}

  /**
   * Submit a job.
   *
   * @remarks The answer means that the job is durable: it ends in exactly one way, whatever
   * crashes. One that no registered host could hold waits for one, and its `message` says so.
   */
  @Post()
  @ApiHeader(KEY_HEADER)
  @AprRoute({
    operationId: 'submitJob',
    answer: JobAnswerDto,
    example: WAITING_JOB,
    fails: ['queue_full'],
    hasBody: true,
  })
  async submit(
    @Body() body: SubmitJobDto,
    @Headers(KEY) key?: string,
  ): Promise<Plain<JobAnswerDto>> {
    const id = await this.submitter.submitOne(toSubmission(body), toKey(key));
    return shown(await this.jobs.get(id));
  }

  /**
   * Submit many jobs, all or none.
   *
   * @remarks One job that is wrong, or does not fit into the queue, refuses all, and the message
   * names its place. A job with `count` or `parameters` is an array: one job each.
   */
  @Post('/batch')
  @ApiHeader(KEY_HEADER)
  @AprRoute({
    operationId: 'submitJobs',
    answer: JobsAnswerDto,
    example: { jobs: [WAITING_JOB] },
    fails: ['queue_full'],
    hasBody: true,
  })
  async submitBatch(
    @Body() body: SubmitBatchDto,
    @Res() response: Response,
    @Headers(KEY) key?: string,
  ): Promise<void> {
    const { ids } = await this.submitter.submit(toSubmissions(body), toKey(key));
    await streamJson(response, jobsAnswer(this.jobs.views(ids)));
  }

  /** List jobs, live and finished ones, the newest first. */
  @Get()
  @AprRoute({ operationId: 'listJobs', answer: JobsAnswerDto, example: { jobs: [RUNNING_JOB] } })
  async list(@Query() query: JobListQueryDto, @Res() response: Response): Promise<void> {
    await streamJson(response, jobsAnswer(await this.jobs.list(toFilter(query), query)));
  }

  /** Show a job with everything that happened to it. */
  @Get('/:job_id')
  @AprRoute({
    operationId: 'getJob',
    answer: JobDetailAnswerDto,
    example: JOB_DETAIL,
    fails: ['unknown_task'],
  })
  async show(@Param() { job_id: id }: JobPathDto): Promise<Plain<JobDetailAnswerDto>> {
    const job = await this.jobs.get(id);
    return success(jobDetail(job, await this.tasks.timeline(job.id)));
  }

  /** Run a job that has ended once more, as a new one. */
  @Post('/:job_id/rerun')
  @ApiHeader(KEY_HEADER)
  @AprRoute({
    operationId: 'rerunJob',
    answer: JobAnswerDto,
    example: RERUN_JOB,
    fails: ['unknown_task', 'forbidden_transition', 'queue_full'],
  })
  async rerun(
    @Param() { job_id: id }: JobPathDto,
    @Query() { operator }: OperatorQueryDto,
    @Headers(KEY) key?: string,
  ): Promise<Plain<JobAnswerDto>> {
    return shown(await this.jobs.get(await this.submitter.rerun(id, operator, toKey(key))));
  }
}

function shown(job: JobView): Plain<JobAnswerDto> {
  return success(jobAnswer(job));
}
