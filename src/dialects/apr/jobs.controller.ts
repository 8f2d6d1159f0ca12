import { Body, Controller, Get, Headers, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { Response } from 'express';
import type { Plain } from '../../http/dto-fields';
import { streamJson } from '../../http/stream-json';
import { JobLogs } from '../../instances/job-logs';
import { JobPlaces } from '../../ops/job-places';
import { TasksRepository } from '../../persistence/tasks.repository';
import type { JobView } from '../../tasks/job-view';
import { JobSubmitter } from '../../tasks/job-submitter';
import { JobsService } from '../../tasks/jobs.service';
import { AprRoute } from './apr-route';
import {
  JOB_DETAIL,
  PAUSED_JOB,
  RERUN_JOB,
  RUNNING_JOB,
  STOPPING_JOB,
  WAITING_JOB,
} from './apr.examples';
import { operatorIn, toKey, toSubmission, toSubmissions } from './apr.input';
import { jobAnswer, jobDetail, jobsAnswer, logAnswer, success, toFilter } from './apr.mapper';
import {
  JobAnswerDto,
  JobDetailAnswerDto,
  JobListQueryDto,
  JobPathDto,
  JobsAnswerDto,
  LogAnswerDto,
  LogsQueryDto,
  OperatorQueryDto,
} from './dto/job.dto';
import { SubmitJobsDto, SubmitJobDto } from './dto/submit-job.dto';

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
    private readonly logs: JobLogs,
    private readonly places: JobPlaces,
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
    const id = await this.submitter.submitOne(toSubmission(body, this.places), toKey(key));
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
    @Body() body: SubmitJobsDto,
    @Res() response: Response,
    @Headers(KEY) key?: string,
  ): Promise<void> {
    const { ids } = await this.submitter.submit(toSubmissions(body, this.places), toKey(key));
    await streamJson(response, jobsAnswer(this.jobs.views(ids)));
  }

  /**
   * List jobs, live and finished ones, the newest first.
   *
   * @remarks Each is shown as it stands when it is reached: one that moves on just then may have
   * another status than was asked for.
   */
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

  /** Show the last lines of what a job has written, on standard output and standard error. */
  @Get('/:job_id/logs')
  @AprRoute({
    operationId: 'getJobLog',
    answer: LogAnswerDto,
    example: { job_id: RUNNING_JOB.job_id, log_path: RUNNING_JOB.log_path, lines: ['start'] },
    fails: ['unknown_task', 'unreachable_instance'],
  })
  async log(
    @Param() { job_id: id }: JobPathDto,
    @Query() { tail }: LogsQueryDto,
  ): Promise<Plain<LogAnswerDto>> {
    const job = await this.jobs.get(id);
    return success(logAnswer(job, await this.logs.lastLines(job, tail)));
  }

  /**
   * Let a running job stand still.
   *
   * @remarks It keeps what it has of its host, and its time goes on to count. A host with an
   * `executor_prefix` does not do it.
   */
  @Post('/:job_id/pause')
  @AprRoute({
    operationId: 'pauseJob',
    answer: JobAnswerDto,
    example: PAUSED_JOB,
    fails: ['unknown_task', 'forbidden_transition'],
  })
  async pause(
    @Param() { job_id: id }: JobPathDto,
    @Query() query: OperatorQueryDto,
  ): Promise<Plain<JobAnswerDto>> {
    return shown(await this.jobs.pause(id, operatorIn(query)));
  }

  /** Let a paused job go on. */
  @Post('/:job_id/resume')
  @AprRoute({
    operationId: 'resumeJob',
    answer: JobAnswerDto,
    example: RUNNING_JOB,
    fails: ['unknown_task', 'forbidden_transition'],
  })
  async resume(
    @Param() { job_id: id }: JobPathDto,
    @Query() query: OperatorQueryDto,
  ): Promise<Plain<JobAnswerDto>> {
    return shown(await this.jobs.resume(id, operatorIn(query)));
  }

  /**
   * Stop a job that has not ended.
   *
   * @remarks One that waits is cancelled at once. One that runs is ended with all its processes, and
   * is CANCELLED when that was seen; one that had ended before keeps its own result.
   */
  @Post('/:job_id/stop')
  @AprRoute({
    operationId: 'stopJob',
    answer: JobAnswerDto,
    example: STOPPING_JOB,
    fails: ['unknown_task', 'forbidden_transition'],
  })
  async stop(
    @Param() { job_id: id }: JobPathDto,
    @Query() query: OperatorQueryDto,
  ): Promise<Plain<JobAnswerDto>> {
    return shown(await this.jobs.stop(id, operatorIn(query)));
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
    @Query() query: OperatorQueryDto,
    @Headers(KEY) key?: string,
  ): Promise<Plain<JobAnswerDto>> {
    return shown(
      await this.jobs.get(await this.submitter.rerun(id, operatorIn(query), toKey(key))),
    );
  }
}

function shown(job: JobView): Plain<JobAnswerDto> {
  return success(jobAnswer(job));
}
