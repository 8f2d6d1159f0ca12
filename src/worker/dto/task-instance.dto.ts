import { IsInt, IsOptional, IsString, Max, MaxLength, Min, MinLength } from 'class-validator';
import { IsJsonObject, Nullable, type JsonObject } from '../../http/dto-fields';
import { MOST_REPLICAS } from '../worker-options';

/** Characters of a model's name or of an id. */
const LONGEST_NAME = 200;

/** `POST /models/start` */
export class StartModelsDto {
  /** Name of the model. Another than the present one only when that has neither replicas nor tasks. */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_NAME)
  model_type!: string;

  /** Replicas to add. */
  @IsInt()
  @Min(1)
  @Max(MOST_REPLICAS)
  count = 1;

  /** Settings of the model; taken, and used by no engine here. */
  @IsJsonObject()
  config: JsonObject = {};

  /** GPUs that each replica takes; taken, and used by no engine here. */
  @IsInt()
  @Min(0)
  num_gpus_per_model = 0;
}

/** `POST /models/stop` */
export class StopModelsDto {
  /** Replicas to take away; null: all. */
  @Nullable()
  @IsInt()
  @Min(1)
  count: number | null = null;
}

/** `POST /queue/enqueue` */
export class EnqueueDto {
  /** Input of the task. */
  @IsJsonObject()
  input_data!: JsonObject;

  /** Facts about the task; `task_id` and `dispatch_id` among them are the scheduler's own ids. */
  @IsJsonObject()
  metadata: JsonObject = {};

  /** The scheduler's id of the task, when the metadata do not carry it. */
  @IsOptional()
  @Nullable()
  @IsString()
  task_id?: string | null;

  /** Model that the task is for; another than the one that is served is refused. */
  @IsOptional()
  @Nullable()
  @IsString()
  model_name?: string | null;
}

/** `GET /results` */
export class ResultsQueryDto {
  /** The scheduler's id of one attempt: only that one is shown, whatever its state. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  dispatch_id?: string;
}
