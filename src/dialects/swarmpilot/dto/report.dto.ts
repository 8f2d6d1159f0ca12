import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsNumber, IsOptional, IsString, MaxLength, Min, MinLength } from 'class-validator';
import { IsJsonObject, Nullable, type JsonObject } from '../../../http/dto-fields';
import { LONGEST_WORKER_ID } from './limits';

/** `POST /notify/task_complete` */
export class TaskCompleteDto {
  /**
   * The scheduler's id of the task, the client's, or the one that the instance gave it.
   * @example '0193529e-70a2-7d31-9a30-2f6d0a4f5c11'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_WORKER_ID)
  task_id!: string;

  /**
   * Who reports: the instance's own name, `host:port`, or its `ti_uuid`.
   * @example '127.0.0.1:8100'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_WORKER_ID)
  instance_id!: string;

  /**
   * How long the task ran, in ms, 0 or more. A time that cannot be is not recorded.
   * @example 1187.5
   */
  @IsNumber()
  @Min(0)
  execution_time!: number;
}

/** What became of a notification. */
export class TaskCompleteAnswerDto {
  /**
   * `warning` when the instance or the task is not known.
   * @example 'success'
   */
  status!: 'success' | 'warning';

  /**
   * What happened, for people.
   * @example 'recorded'
   */
  message!: string;

  /**
   * From submission to completion, in ms; null where it is not known.
   * @example 1932.75
   */
  total_time_ms!: number | null;
}

/** `POST /result/submit` */
export class ResultSubmitDto extends TaskCompleteDto {
  /**
   * What the instance made of the task. `{"error": "…"}`, and nothing else in it, is a failure.
   * @example { "output": "Because of Rayleigh scattering." }
   */
  @IsJsonObject()
  result!: JsonObject;

  /**
   * Facts about the execution. Known here: `dispatch_id`, the id of the attempt, as it came with
   * the task. Default: none.
   * @example { "dispatch_id": "0193529e-70a2-7d31-9a30-2f6d0a4f5c12" }
   */
  @IsOptional()
  @Nullable()
  @IsJsonObject()
  metadata?: JsonObject | null;

  /** Which replica of the instance ran it; taken, and not looked at. */
  @ApiPropertyOptional({
    oneOf: [{ type: 'string' }, { type: 'integer' }],
    nullable: true,
    example: 'replica-1',
  })
  @IsOptional()
  @Nullable()
  replica_id?: unknown;
}

/** What became of a result. */
export class ResultSubmitAnswerDto {
  /**
   * `error` when the instance or the task is not known.
   * @example 'success'
   */
  status!: 'success' | 'error';

  /**
   * What happened, for people.
   * @example 'recorded'
   */
  message!: string;
}

/** `POST /result/fetch` */
export class ResultFetchDto {
  /**
   * The client's id of the task, the scheduler's, or the one that its instance gave it.
   * @example 'order-4711'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_WORKER_ID)
  task_id!: string;
}

/** The result of a task. */
export class ResultFetchAnswerDto {
  /**
   * What the instance made of it; null until it is completed. A task that failed, was cancelled or
   * took too long has `{"error": "…"}`.
   * @example { "output": "Because of Rayleigh scattering." }
   */
  result!: JsonObject | null;
}
