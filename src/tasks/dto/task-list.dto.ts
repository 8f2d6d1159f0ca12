import { ApiProperty } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import type { TaskKind, TaskState } from '../../core/task';
import { PageQueryDto } from '../../http/dto/page.dto';
import { FailureDto } from './task.dto';

const LONGEST_NAME = 512;
/** Every state, each named several times: more says nothing. */
const LONGEST_CHOICE = 512;
const LONGEST_TIME = 64;

/** `GET /v1/tasks` */
export class TaskListQueryDto extends PageQueryDto {
  /**
   * Only tasks in this state, or in one of several with commas between; `live` stands for every
   * state before the end, `finished` for every end. Default: all.
   * @example 'failed,timed_out'
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_CHOICE)
  state?: string;

  /**
   * Only tasks of this kind: `model`, `batch` or `placement`. Default: all.
   * @example 'model'
   */
  @IsOptional()
  @IsString()
  @MaxLength(LONGEST_CHOICE)
  kind?: string;

  /**
   * Only tasks of this queue: the model. Default: all.
   * @example 'llama-3-8b'
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_NAME)
  queue?: string;

  /**
   * Only tasks whose newest attempt is or was at this instance: its id, `host:port` or its own
   * name. Default: all.
   * @example 'gpu7-8100'
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_NAME)
  instance?: string;

  /**
   * Only tasks submitted then or later: ISO 8601, or a time back from now as in `90s`, `30m`,
   * `24h`, `7d`. Default: no bound.
   * @example '24h'
   */
  @IsOptional()
  @IsString()
  @MaxLength(LONGEST_TIME)
  createdAfter?: string;

  /**
   * Only tasks submitted earlier: ISO 8601, or a time back from now. Default: no bound.
   * @example '2026-11-21T10:00:00Z'
   */
  @IsOptional()
  @IsString()
  @MaxLength(LONGEST_TIME)
  createdBefore?: string;
}

/** A task in few words. */
export class TaskSummaryDto {
  /**
   * The scheduler's id.
   * @example '0193529e-70a2-7d31-9a30-2f6d0a4f5c11'
   */
  id!: string;

  /**
   * The client's own id; null when it gave none.
   * @example 'order-4711'
   */
  client_task_id!: string | null;

  /**
   * What was asked for.
   * @example 'model'
   */
  kind!: TaskKind;

  /**
   * Model that it is for.
   * @example 'llama-3-8b'
   */
  model!: string;

  /**
   * Where it stands on the record.
   * @example 'succeeded'
   */
  state!: TaskState;

  /**
   * Instance of the newest attempt; null before the first.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  instance_id!: string | null;

  /**
   * Number of the newest attempt; 0 before the first.
   * @example 1
   */
  @ApiProperty({ type: 'integer' })
  attempt!: number;

  /**
   * When it was submitted, ISO 8601.
   * @example '2026-11-21T10:00:00.000Z'
   */
  submitted_at!: string;

  /**
   * When it first began to take a slot, as far as known, ISO 8601; null until then.
   * @example '2026-11-21T10:00:00.015Z'
   */
  started_at!: string | null;

  /**
   * When it ended, ISO 8601; null while it is live.
   * @example '2026-11-21T10:00:01.200Z'
   */
  finished_at!: string | null;

  /**
   * How long it ran, in ms, by its instance's word; null where that is not known.
   * @example 1187.5
   */
  execution_ms!: number | null;

  /**
   * From its submission to its start, in ms; null until it starts.
   * @example 15
   */
  wait_ms!: number | null;

  /** Why it failed; null unless it did. */
  failure!: FailureDto | null;
}

/** Tasks, newest first. */
export class TaskListDto {
  /** The tasks of this page. */
  tasks!: TaskSummaryDto[];

  /**
   * Leads to the next page; null on the last one.
   * @example 'WyJ0YXNrcyIsMTc5NTI1NzYwMDAwMCwiMDE5MzUyOWUtNzBhMi03ZDMxLTlhMzAtMmY2ZDBhNGY1YzExIl0'
   */
  next_cursor!: string | null;
}
