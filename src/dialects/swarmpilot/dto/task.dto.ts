import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsString, Max, MaxLength, Min, MinLength } from 'class-validator';
import { FromNumericString, type JsonObject } from '../../../http/dto-fields';
import { LONGEST_LIST, LONGEST_WORKER_ID } from './limits';

/** `GET /task/query` */
export class TaskQueryDto {
  /**
   * The client's id of the task, the scheduler's, or the one that its instance gave it.
   * @example 'order-4711'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_WORKER_ID)
  task_id!: string;
}

/** Where a task stands. */
export class TaskAnswerDto {
  /**
   * The client's id where it gave one, else the scheduler's.
   * @example 'order-4711'
   */
  task_id!: string;

  /**
   * `queued` until an instance has it, `completed` when it has ended in whatever way.
   * @example 'completed'
   */
  task_status!: 'queued' | 'scheduled' | 'completed';

  /**
   * Id of the instance that has or had it, or on which it is planned.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  scheduled_ti!: string | null;

  /**
   * When it was submitted, in Unix seconds.
   * @example 1795257600.25
   */
  submit_time!: number;

  /**
   * What the instance made of it; null until it is completed. A task that failed, was cancelled or
   * took too long has `{"error": "…"}`.
   * @example { "output": "Because of Rayleigh scattering." }
   */
  result!: JsonObject | null;
}

/** `GET /task/all_tasks` */
export class AllTasksQueryDto {
  /**
   * Tasks that are told of, 1 to 10 000. Default: 1 000.
   * @example 100
   */
  @ApiProperty({ type: 'integer', required: false, default: 1_000 })
  @FromNumericString()
  @IsInt()
  @Min(1)
  @Max(LONGEST_LIST)
  limit = 1_000;

  /**
   * Newer tasks that are left out, 0 or more. Default: 0.
   * @example 200
   */
  @ApiProperty({ type: 'integer', required: false, default: 0 })
  @FromNumericString()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  offset = 0;
}

/** Where a task of the list stands. */
export class ListedTaskDto extends TaskAnswerDto {
  /**
   * Model that it is for.
   * @example 'llama-3-8b'
   */
  model_name!: string;

  /**
   * When it was completed, in Unix seconds; null until then.
   * @example 1795257602.5
   */
  completion_time!: number | null;
}

/** Model tasks, live and completed. */
export class AllTasksAnswerDto {
  /**
   * Always `success`.
   * @example 'success'
   */
  status!: 'success';

  /**
   * Tasks that there are, beside those that are told of here.
   * @example 1
   */
  @ApiProperty({ type: 'integer' })
  total_tasks!: number;

  /** The newest submission first. */
  tasks!: ListedTaskDto[];
}

/** What a clearance did. */
export class ClearAnswerDto {
  /**
   * Always `success`.
   * @example 'success'
   */
  status!: 'success';

  /**
   * What happened, for people.
   * @example '12 finished tasks were cleared'
   */
  message!: string;

  /**
   * Tasks that are gone now.
   * @example 12
   */
  @ApiProperty({ type: 'integer' })
  cleared_count!: number;
}
