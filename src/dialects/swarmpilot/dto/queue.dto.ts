import { ApiProperty } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import { IsJsonObject, Nullable, type JsonObject } from '../../../http/dto-fields';
import { LONGEST_CLIENT_ID, LONGEST_MODEL_NAME } from './limits';

/** `POST /queue/submit` */
export class SubmitDto {
  /**
   * Model that is to do the task, 1 to 256 characters, as its instances registered it.
   * @example 'llama-3-8b'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_MODEL_NAME)
  model_name!: string;

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

/** `GET /queue/info` */
export class QueueInfoQueryDto {
  /**
   * Only the instances of this model. Default: all.
   * @example 'llama-3-8b'
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_MODEL_NAME)
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
