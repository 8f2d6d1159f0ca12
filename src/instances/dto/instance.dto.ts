import { ApiProperty } from '@nestjs/swagger';
import {
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';
import { HEALTHS, type Health, type InstanceKind, type Unfit } from '../../core/instance';
import { LONGEST_QUEUE_NAME } from '../../core/units';
import { IsJsonObject, Nullable, type JsonObject } from '../../http/dto-fields';
import { PageQueryDto } from '../../http/dto/page.dto';

/** Characters of a name that a worker gives itself. */
const LONGEST_NAME = 512;
/** Replicas that one instance can have. */
const MOST_REPLICAS = 4096;
/** GPUs that one machine can have. */
const MOST_GPUS = 1024;

/** `GET /v1/instances` */
export class InstancesQueryDto extends PageQueryDto {
  /**
   * Only those that serve this model.
   * @example 'llama-3-8b'
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_QUEUE_NAME)
  model?: string;

  /**
   * Only those whose health is this.
   * @example 'online'
   */
  @ApiProperty({ enum: HEALTHS, required: false })
  @IsOptional()
  @IsIn(HEALTHS)
  health?: Health;
}

/** The instance that a call is about. */
export class InstancePathDto {
  /**
   * The scheduler's id of it, its `host:port`, or its own name.
   * @example '127.0.0.1:8100'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_NAME)
  id!: string;
}

/** `POST /v1/instances/{id}/models/start` */
export class StartModelsDto {
  /**
   * Model of the replicas. Default: the one that the instance serves.
   * @example 'llama-3-8b'
   */
  @IsOptional()
  @Nullable()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_QUEUE_NAME)
  model_type?: string | null;

  /**
   * How many more, 1 to 4096.
   * @example 2
   */
  @ApiProperty({ type: 'integer', required: false, default: 1 })
  @IsInt()
  @Min(1)
  @Max(MOST_REPLICAS)
  count = 1;

  /**
   * What the instance wants to know about the model, passed on as it is.
   * @example { "max_model_len": 8192 }
   */
  @ApiProperty({ type: 'object', additionalProperties: true, selfRequired: false, default: {} })
  @IsJsonObject()
  config: JsonObject = {};

  /**
   * GPUs of each replica, 0 to 1024.
   * @example 1
   */
  @ApiProperty({ type: 'number', required: false, default: 0 })
  @IsNumber()
  @Min(0)
  @Max(MOST_GPUS)
  num_gpus_per_model = 0;
}

/** `POST /v1/instances/{id}/models/stop` */
export class StopModelsDto {
  /**
   * How many, 1 to 4096; null or absent: all of them.
   * @example 1
   */
  @ApiProperty({ type: 'integer', nullable: true, required: false, default: null })
  @IsOptional()
  @Nullable()
  @IsInt()
  @Min(1)
  @Max(MOST_REPLICAS)
  count?: number | null;
}

/** An instance as the scheduler sees it. */
export class InstanceDto {
  /**
   * The scheduler's id of it.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  id!: string;

  /**
   * Its own name.
   * @example 'gpu7-8100'
   */
  name!: string;

  /**
   * What kind of capacity it is.
   * @example 'task_instance'
   */
  kind!: InstanceKind;

  /**
   * Host at which it is reached; of a worker that only asks for placement, the address that its
   * clients get.
   * @example '127.0.0.1'
   */
  host!: string;

  /**
   * Port at which it listens; 0 of a host of batch jobs and of a worker.
   * @example 8100
   */
  @ApiProperty({ type: 'integer' })
  port!: number;

  /**
   * Tags of a worker that only asks for placement; none of others.
   * @example []
   */
  tags!: string[];

  /**
   * Model that it serves.
   * @example 'llama-3-8b'
   */
  model!: string;

  /**
   * `online`: answers; `suspect`: silent for a while, gets no new work; `lost`: given up.
   * @example 'online'
   */
  health!: Health;

  /**
   * Why it gets no new work now; null when it may. `no_replicas`: it runs none; `paused`: its queue
   * is; `resting`: it has just refused.
   * @example null
   */
  unfit_because!: Unfit | null;

  /**
   * True when it is to get no new work.
   * @example false
   */
  draining!: boolean;

  /**
   * By whose wish it drains: an `operator` has asked for it, or the `worker` itself is about to end.
   * @example []
   */
  drained_by!: ('operator' | 'worker')[];

  /**
   * Tasks that it executes at once.
   * @example 2
   */
  @ApiProperty({ type: 'integer' })
  slots!: number;

  /**
   * Tasks that it has.
   * @example 2
   */
  @ApiProperty({ type: 'integer' })
  occupied!: number;

  /**
   * Tasks that wait for it: planned on it, or there without a slot.
   * @example 5
   */
  @ApiProperty({ type: 'integer' })
  waiting!: number;

  /**
   * How much faster than the reference it works: what it declares, corrected by what was learned
   * from the tasks that it completed. A task predicted at 1 000 ms is expected to take 1 000 / speed.
   * @example 1.07
   */
  speed!: number;

  /**
   * What it says of its own speed; 1 when it says nothing.
   * @example 1
   */
  declared_speed!: number;

  /**
   * Completed tasks of this model that the correction rests on.
   * @example 412
   */
  @ApiProperty({ type: 'integer' })
  speed_outcomes!: number;

  /**
   * When it was heard of last, ISO 8601.
   * @example '2026-11-21T10:00:00.000Z'
   */
  last_contact_at!: string;

  /**
   * When it was registered first, ISO 8601.
   * @example '2026-11-21T09:00:00.000Z'
   */
  registered_at!: string;
}

/** Instances in service. */
export class InstancesDto {
  /** By model and name. */
  instances!: InstanceDto[];

  /**
   * Leads to the next page; null when this is the last one.
   * @example null
   */
  next_cursor!: string | null;
}

/** What a start of replicas led to. */
export class StartModelsAnswerDto {
  /** The instance, asked anew. */
  instance!: InstanceDto;

  /**
   * What the instance says about it.
   * @example 'started 2 replicas of llama-3-8b'
   */
  detail!: string;

  /**
   * Replicas that were started.
   * @example 2
   */
  @ApiProperty({ type: 'integer' })
  replicas_started!: number;

  /**
   * Replicas that there are now.
   * @example 2
   */
  @ApiProperty({ type: 'integer' })
  total_replicas!: number;
}

/** What a stop of replicas led to. */
export class StopModelsAnswerDto {
  /** The instance, asked anew. */
  instance!: InstanceDto;

  /**
   * What the instance says about it.
   * @example 'stopped 1 replica'
   */
  detail!: string;

  /**
   * Names of the replicas that were stopped.
   * @example ["replica-2"]
   */
  stopped_replicas!: string[];

  /**
   * Replicas that are left.
   * @example 1
   */
  @ApiProperty({ type: 'integer' })
  remaining_replicas!: number;
}
