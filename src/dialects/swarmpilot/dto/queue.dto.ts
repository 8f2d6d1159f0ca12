import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsOptional,
  IsString,
  MaxLength,
  MinLength,
} from 'class-validator';
import { LONGEST_QUEUE_NAME } from '../../../core/units';
import { IsJsonObject, NestedList, Nullable, type JsonObject } from '../../../http/dto-fields';
import { LARGEST_BATCH, LONGEST_CLIENT_ID } from './limits';

/** A task as a client submits it; the model stands beside it. */
export class BatchTaskDto {
  /**
   * Input of the task. It reaches the instance as it was sent.
   * @example { "prompt": "Why is the sky blue?" }
   */
  @IsJsonObject()
  task_input!: JsonObject;

  /**
   * Facts about the task, passed on to the instance. Known here: `predicted_ms`, or `quantiles`
   * with `quantile_predictions` in ms, say how long it will run; `priority` from -1000 to 1000,
   * higher goes first, default 0; `timeout_ms` limits an attempt. Default: none.
   * @example { "predicted_ms": 1200, "priority": 1 }
   */
  @ApiProperty({ required: false })
  @IsJsonObject()
  metadata: JsonObject = {};

  /**
   * The client's own id of the task, 1 to 256 characters, unique among model tasks. A repeat of a
   * known id returns the task that has it, so that a client may retry safely. Default: the
   * scheduler makes one.
   * @example 'order-4711'
   */
  @IsOptional()
  @Nullable()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_CLIENT_ID)
  task_id?: string | null;
}

/** `POST /queue/submit` */
export class SubmitDto extends BatchTaskDto {
  /**
   * Model that is to do the task, 1 to 256 characters, as its instances registered it.
   * @example 'llama-3-8b'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_QUEUE_NAME)
  model_name!: string;
}

/** `POST /queue/submit_batch` */
export class SubmitBatchDto {
  /**
   * Model that is to do the tasks, 1 to 256 characters, as its instances registered it.
   * @example 'llama-3-8b'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_QUEUE_NAME)
  model_name!: string;

  /**
   * The tasks, 1 to 10 000, in the order in which they are to be submitted.
   * @example [{ "task_input": { "prompt": "Why is the sky blue?" }, "task_id": "order-4711" }]
   */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(LARGEST_BATCH)
  @NestedList(() => BatchTaskDto)
  tasks!: BatchTaskDto[];
}

/** The receipt of a task: it is durable. */
export class SubmitAnswerDto {
  /**
   * Always `success`.
   * @example 'success'
   */
  status!: 'success';

  /**
   * The client's id where it gave one, else the scheduler's.
   * @example 'order-4711'
   */
  task_id!: string;

  /**
   * Id of the instance on which the task is placed or planned.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  scheduled_ti!: string | null;
}

/** What became of one task of a batch. */
export class BatchResultDto {
  /**
   * Its place in `tasks`, from 0.
   * @example 0
   */
  @ApiProperty({ type: 'integer' })
  index!: number;

  /**
   * `success` when it is durable.
   * @example 'success'
   */
  status!: 'success' | 'error';

  /**
   * The client's id where it gave one, else the scheduler's; null when it was refused without one.
   * @example 'order-4711'
   */
  task_id!: string | null;

  /**
   * Id of the instance on which the task is placed or planned; null when it was refused.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  scheduled_ti!: string | null;

  /**
   * Why it was refused; null when it was taken.
   * @example null
   */
  error!: string | null;
}

/** What became of a batch, task by task. */
export class SubmitBatchAnswerDto {
  /**
   * `success` when every task was taken, `error` when none was, else `partial`.
   * @example 'success'
   */
  status!: 'success' | 'partial' | 'error';

  /**
   * What happened, for people.
   * @example '200 of 200 tasks were taken'
   */
  message!: string;

  /**
   * Tasks of the batch.
   * @example 200
   */
  @ApiProperty({ type: 'integer' })
  total_tasks!: number;

  /**
   * Tasks that were taken, repeats of known ones among them.
   * @example 200
   */
  @ApiProperty({ type: 'integer' })
  successful_tasks!: number;

  /**
   * Tasks that were refused.
   * @example 0
   */
  @ApiProperty({ type: 'integer' })
  failed_tasks!: number;

  /** One entry per task, in the order of `tasks`. */
  results!: BatchResultDto[];
}

/** `GET /queue/info` */
export class QueueInfoQueryDto {
  /**
   * Only the instances of this model. Default: all.
   * @example 'llama-3-8b'
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_QUEUE_NAME)
  model_name?: string;
}

/** The wait at one instance. */
export class InstanceWaitDto {
  /**
   * Model that the instance serves.
   * @example 'llama-3-8b'
   */
  model_name!: string;

  /**
   * The scheduler's id of the instance.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  ti_uuid!: string;

  /**
   * Expected wait in ms, before it starts, of a task that would be submitted now.
   * @example 1840.5
   */
  waiting_time_expect!: number;

  /**
   * Standard deviation of that wait in ms.
   * @example 212.25
   */
  waiting_time_error!: number;
}

/** The waits at all instances asked for. */
export class QueueInfoAnswerDto {
  /**
   * Always `success`.
   * @example 'success'
   */
  status!: 'success';

  /** One entry per instance; empty for a model that nobody serves. */
  queues!: InstanceWaitDto[];
}
