import { ApiProperty } from '@nestjs/swagger';
import {
  IsBoolean,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';
import { LONGEST_QUEUE_NAME } from '../../core/units';
import { Nullable } from '../../http/dto-fields';

const LONGEST_STRATEGY_NAME = 100;
const MOST_ORDER_WEIGHT = 1_000;
const MOST_PREFETCH = 1_000;
const MOST_WAITING = 10_000_000;
/** 20 days, as for the settings of times. */
const LONGEST_ATTEMPT_MS = 1_728_000_000;

/** The queue that a call is about. */
export class QueuePathDto {
  /**
   * Name of the queue: the model. A slash in it is sent as `%2F`.
   * @example 'llama-3-8b'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_QUEUE_NAME)
  model!: string;
}

/**
 * `PATCH /v1/queues/{model}`: what is to be set, at least one of them. Null: as for every queue
 * again.
 */
export class QueueChangeDto {
  /**
   * Strategy that places its tasks: a name of `GET /v1/strategies`.
   * @example 'shortest_queue'
   */
  @IsOptional()
  @Nullable()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_STRATEGY_NAME)
  strategy?: string | null;

  /**
   * Weight of the predicted running time in the order of the waiting tasks, 0 to 1000; 0 is first
   * come first served.
   * @example 2
   */
  @IsOptional()
  @Nullable()
  @IsNumber()
  @Min(0)
  @Max(MOST_ORDER_WEIGHT)
  order_weight?: number | null;

  /**
   * Tasks that are sent to an instance ahead of a free slot, 0 to 1000.
   * @example 1
   */
  @ApiProperty({ type: 'integer', nullable: true, required: false })
  @IsOptional()
  @Nullable()
  @IsInt()
  @Min(0)
  @Max(MOST_PREFETCH)
  prefetch?: number | null;

  /**
   * Tasks that may wait, 1 to 10 000 000; above it submissions are refused.
   * @example 50000
   */
  @ApiProperty({ type: 'integer', nullable: true, required: false })
  @IsOptional()
  @Nullable()
  @IsInt()
  @Min(1)
  @Max(MOST_WAITING)
  limit?: number | null;

  /**
   * Longest run of one attempt in ms, 1 to 1 728 000 000, of tasks that are submitted from now on
   * and whose `metadata.timeout_ms` does not say otherwise.
   * @example 600000
   */
  @IsOptional()
  @Nullable()
  @IsNumber()
  @Min(1)
  @Max(LONGEST_ATTEMPT_MS)
  attempt_timeout_ms?: number | null;

  /**
   * True: tasks are taken and kept, and none is placed.
   * @example false
   */
  @IsOptional()
  @Nullable()
  @IsBoolean()
  paused?: boolean | null;
}

/** The wait at one instance of a queue. */
export class QueueWaitDto {
  /**
   * The scheduler's id of the instance.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  instance_id!: string;

  /**
   * The instance's own name.
   * @example 'gpu7-8100'
   */
  instance_name!: string;

  /**
   * Expected wait in ms, before it starts, of a task that would be submitted now.
   * @example 1840.5
   */
  wait_ms!: number;

  /**
   * Standard deviation of that wait in ms.
   * @example 212.25
   */
  wait_error_ms!: number;
}

/** What waits for one model. */
export class QueueDto {
  /**
   * Name of the queue: the model.
   * @example 'llama-3-8b'
   */
  model!: string;

  /**
   * Strategy that places its tasks.
   * @example 'earliest'
   */
  strategy!: string;

  /**
   * Weight of the predicted running time in the order of the waiting tasks; 0 is first come first
   * served.
   * @example 2
   */
  order_weight!: number;

  /**
   * Tasks that are sent to an instance ahead of a free slot.
   * @example 0
   */
  @ApiProperty({ type: 'integer' })
  prefetch!: number;

  /**
   * Tasks that may wait; above it submissions are refused.
   * @example 50000
   */
  @ApiProperty({ type: 'integer' })
  limit!: number;

  /**
   * Longest run of one attempt in ms, of tasks that bring no limit of their own.
   * @example 3600000
   */
  attempt_timeout_ms!: number;

  /**
   * True while tasks are taken and kept, and none is placed.
   * @example false
   */
  paused!: boolean;

  /**
   * Tasks that wait.
   * @example 5
   */
  @ApiProperty({ type: 'integer' })
  waiting!: number;

  /**
   * Tasks that are at instances.
   * @example 2
   */
  @ApiProperty({ type: 'integer' })
  running!: number;

  /**
   * How many of its instances get no new work now, by reason, as `unfit_because` of each names it.
   * @example { "no_replicas": 1 }
   */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' } })
  unfit!: Record<string, number>;

  /** The wait at each of its instances. */
  instances!: QueueWaitDto[];
}

/** Every queue. */
export class QueuesDto {
  /** Every queue of model tasks that has settings, or has had an instance since the start; by model. */
  queues!: QueueDto[];
}

/** How times are spread, in ms. */
export class SpreadDto {
  /**
   * Half of them are at most this.
   * @example 480.5
   */
  p50!: number;

  /**
   * 90 % of them are at most this.
   * @example 910
   */
  p90!: number;

  /**
   * 95 % of them are at most this.
   * @example 1020.25
   */
  p95!: number;

  /**
   * 99 % of them are at most this.
   * @example 1850
   */
  p99!: number;

  /**
   * The longest.
   * @example 2200
   */
  max!: number;

  /**
   * The arithmetic mean.
   * @example 530.75
   */
  mean!: number;
}

/** What finished tasks took. */
export class TaskTimesDto {
  /**
   * How many were looked at, however they ended.
   * @example 1000
   */
  @ApiProperty({ type: 'integer' })
  tasks!: number;

  /** From the submission until an instance first began; of those that began. Null without any. */
  wait_ms!: SpreadDto | null;

  /** Running, by the instance's word; of those of which it gave it. Null without any. */
  service_ms!: SpreadDto | null;

  /** From the submission to the end. Null without any. */
  total_ms!: SpreadDto | null;
}

/** What the tasks of a queue took that finished lately. */
export class QueueStatisticsDto {
  /** The newest 1000 of them, however old. */
  last_tasks!: TaskTimesDto;

  /** Those of the last hour; of more than 100 000, the newest. */
  last_hour!: TaskTimesDto;
}

/** A queue, and what its tasks took. */
export class QueueDetailsDto extends QueueDto {
  /** What its tasks took that finished lately. */
  statistics!: QueueStatisticsDto;
}
