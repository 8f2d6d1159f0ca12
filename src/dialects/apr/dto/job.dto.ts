import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { FromNumericString } from '../../../http/dto-fields';
import { EnvelopeDto } from './envelope.dto';
import { LONGEST_LIST, LONGEST_NAME, LONGEST_TAIL } from './limits';

/** How jobs stand, in the words of this protocol. */
export const JOB_STATUSES = [
  'CREATED',
  'QUEUED',
  'DISPATCHED',
  'RUNNING',
  'PAUSED',
  'RETRYING',
  'SUCCESS',
  'FAILED',
  'CANCELLED',
  'TIMEOUT',
] as const;

/** One of `JOB_STATUSES`. */
export type JobStatus = (typeof JOB_STATUSES)[number];

/** What happens to jobs, in the words of this protocol. */
export type JobEventType =
  | 'SUBMITTED'
  | 'DISPATCHED'
  | 'RUNNING'
  | 'PAUSE'
  | 'RESUME'
  | 'STOP'
  | 'CANCELLED'
  | 'SUCCESS'
  | 'FAILED'
  | 'TIMEOUT'
  | 'RETRYING'
  | 'RERUN';

/** `GET /scheduler/jobs` */
export class JobListQueryDto {
  /**
   * Only jobs that stand so: CREATED, QUEUED, DISPATCHED, RUNNING, PAUSED, RETRYING, SUCCESS,
   * FAILED, CANCELLED or TIMEOUT, or several of these with commas between them. Default: any.
   * @example 'RUNNING'
   */
  @ApiProperty({ type: 'string', required: false })
  @IsOptional()
  @IsString()
  status?: string;

  /**
   * Only jobs of this owner. Default: of anybody.
   * @example 'cad_user'
   */
  @IsOptional()
  @IsString()
  owner?: string;

  /**
   * Only jobs of this project. Default: of any.
   * @example 'P1'
   */
  @IsOptional()
  @IsString()
  project?: string;

  /**
   * Jobs that are told of, 1 to 10 000. Default: 1 000.
   * @example 100
   */
  @ApiProperty({ type: 'integer', required: false, default: 1_000 })
  @FromNumericString()
  @IsInt()
  @Min(1)
  @Max(LONGEST_LIST)
  limit = 1_000;

  /**
   * Newer jobs that are left out, 0 or more. Default: 0.
   * @example 200
   */
  @ApiProperty({ type: 'integer', required: false, default: 0 })
  @FromNumericString()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  offset = 0;
}

/** The path of calls about one job. */
export class JobPathDto {
  /**
   * Id of the job.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  @IsString()
  job_id!: string;
}

/** The query of what is done to a job. */
export class OperatorQueryDto {
  /**
   * Who asks for it, up to 200 characters: stands in the job's events. Default: `api`.
   * @example 'ada'
   */
  @ApiProperty({ type: 'string', required: false, default: 'api' })
  @IsString()
  @MaxLength(LONGEST_NAME)
  operator = 'api';
}

/** `GET /scheduler/jobs/{job_id}/logs` */
export class LogsQueryDto {
  /**
   * Lines at the end of the log, 1 to 10 000. Default: 200.
   * @example 200
   */
  @ApiProperty({ type: 'integer', required: false, default: 200 })
  @FromNumericString()
  @IsInt()
  @Min(1)
  @Max(LONGEST_TAIL)
  tail = 200;
}

/** What a job needs of its host. */
export class JobResourcesDto {
  /**
   * Cores of the host.
   * @example 4
   */
  cpu!: number;

  /**
   * Memory in GB.
   * @example 8
   */
  memory_gb!: number;

  /**
   * Slots of the host.
   * @example 1
   */
  slots!: number;

  /**
   * Tokens of the licence pool of its tool.
   * @example 1
   */
  license_tokens!: number;

  /**
   * Tool that it runs; empty: none in particular.
   * @example 'innovus-21.1'
   */
  tool_version!: string;

  /**
   * Labels that its host must have.
   * @example { "tool": "innovus" }
   */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  host_labels!: Readonly<Record<string, string>>;
}

/** A job. */
export class JobDto {
  /**
   * Id of the job.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  job_id!: string;

  /**
   * What is run; empty when it is no longer kept, as are folder, environment, project, design and
   * owner then.
   * @example 'bash -lc "echo start && sleep 5 && echo done"'
   */
  command!: string;

  /**
   * Project that it belongs to.
   * @example 'P1'
   */
  project!: string;

  /**
   * Design that it belongs to.
   * @example 'top'
   */
  design!: string;

  /**
   * Whose job it is.
   * @example 'cad_user'
   */
  owner!: string;

  /**
   * Higher goes first.
   * @example 2
   */
  @ApiProperty({ type: 'integer' })
  priority!: number;

  /**
   * Seconds that one try may take; 0: as long as it takes.
   * @example 3600
   */
  timeout_sec!: number;

  /**
   * How often it is tried again after it failed.
   * @example 1
   */
  @ApiProperty({ type: 'integer' })
  retry_limit!: number;

  /** What it needs of its host. */
  resource_request!: JobResourcesDto;

  /**
   * Folder that it runs in; `.`: one of its own.
   * @example '/tmp'
   */
  workdir!: string;

  /**
   * Variables of its environment.
   * @example { "CORNER": "ss" }
   */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  env!: Readonly<Record<string, string>>;

  /**
   * How it stands. RETRYING: it waits for its next try after one that failed.
   * @example 'RUNNING'
   */
  status!: JobStatus;

  /**
   * Host that has or had it; empty while it waits.
   * @example 'host-a'
   */
  assigned_host_id!: string;

  /**
   * When it was submitted, ISO 8601 in UTC.
   * @example '2026-11-21T10:00:00.000Z'
   */
  created_at!: string;

  /**
   * When it came into the queue, ISO 8601 in UTC.
   * @example '2026-11-21T10:00:00.000Z'
   */
  queued_at!: string;

  /**
   * When it first ran, ISO 8601 in UTC; empty before.
   * @example '2026-11-21T10:00:00.120Z'
   */
  started_at!: string;

  /**
   * When it ended, ISO 8601 in UTC; empty before.
   * @example ''
   */
  finished_at!: string;

  /**
   * When its record last changed, ISO 8601 in UTC.
   * @example '2026-11-21T10:00:00.125Z'
   */
  updated_at!: string;

  /**
   * What it is at, finer than `status`: `waiting`, `backoff`, `starting`, `running`, `paused`,
   * `stopping` (asked to stop or too long, its end not seen yet) or `ended`.
   * @example 'running'
   */
  stage!: JobStage;

  /**
   * Why it waits, or what was last said of it, for people.
   * @example 'running'
   */
  message!: string;

  /**
   * How often it was tried again.
   * @example 0
   */
  @ApiProperty({ type: 'integer' })
  retry_count!: number;

  /**
   * Exit code of its last try that ended with one, 128 + n when signal n ended it; null without one,
   * and until it has ended.
   * @example null
   */
  @ApiProperty({ type: 'integer', nullable: true })
  exit_code!: number | null;

  /**
   * Its log, on the host.
   * @example '/var/lib/foresail/jobs/0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10.log'
   */
  log_path!: string;

  /**
   * Job of which it is another run; empty: of none.
   * @example ''
   */
  parent_job_id!: string;
}

/** What a job is at. */
export type JobStage =
  'waiting' | 'backoff' | 'starting' | 'running' | 'paused' | 'stopping' | 'ended';

/** Something that happened to a job. */
export class JobEventDto {
  /**
   * Its id, greater than those before it.
   * @example '4711'
   */
  event_id!: string;

  /**
   * Id of the job.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  job_id!: string;

  /**
   * What happened.
   * @example 'SUBMITTED'
   */
  event_type!: JobEventType;

  /**
   * More of it, for people.
   * @example 'submitted'
   */
  message!: string;

  /**
   * Who asked for it: of a submission the owner, else `system` where nobody did.
   * @example 'cad_user'
   */
  operator!: string;

  /**
   * When it happened, ISO 8601 in UTC.
   * @example '2026-11-21T10:00:00.000Z'
   */
  created_at!: string;
}

/** A job with what happened to it. */
export class JobDetailDto extends JobDto {
  /** What happened to it, the first first. */
  events!: JobEventDto[];
}

/** One job. */
export class JobAnswerDto extends EnvelopeDto {
  /** The job as it is now. */
  data!: JobDto;
}

/** One job with what happened to it. */
export class JobDetailAnswerDto extends EnvelopeDto {
  /** The job as it is now. */
  data!: JobDetailDto;
}

/** Several jobs. */
export class JobListDto {
  /** The jobs as they are now. */
  jobs!: JobDto[];
}

/** Several jobs. */
export class JobsAnswerDto extends EnvelopeDto {
  /** The jobs as they are now. */
  data!: JobListDto;
}

/** The end of a log. */
export class LogDto {
  /**
   * Id of the job.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  job_id!: string;

  /**
   * Its log, on the host.
   * @example '/var/lib/foresail/jobs/0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10.log'
   */
  log_path!: string;

  /**
   * Its last lines; none before it has run. What is not UTF-8 is replaced.
   * @example ["start", "done"]
   */
  lines!: string[];
}

/** The end of a log. */
export class LogAnswerDto extends EnvelopeDto {
  /** The end of the job's log. */
  data!: LogDto;
}
