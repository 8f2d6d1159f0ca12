import { ApiProperty } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import type {
  AttemptState,
  FailureKind,
  TaskEventType,
  TaskKind,
  TaskState,
} from '../../core/task';
import { Nullable, type JsonObject } from '../../http/dto-fields';
import { DecisionDto } from './decision.dto';

const LONGEST_ID = 512;
const LONGEST_REASON = 500;

/** The path of calls about one task. */
export class TaskPathDto {
  /**
   * The scheduler's id of the task, the client's, or the one that its instance gave it.
   * @example 'order-4711'
   */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_ID)
  id!: string;
}

/** `POST /v1/tasks/:id/cancel` */
export class CancelDto {
  /**
   * Why, for whoever looks at the task later, up to 500 characters. Default: none.
   * @example 'submitted by mistake'
   */
  @IsOptional()
  @Nullable()
  @IsString()
  @MaxLength(LONGEST_REASON)
  reason?: string | null;
}

/** What was predicted when the task was submitted. */
export class PredictionDto {
  /**
   * Source that answered.
   * @example 'metadata'
   */
  method!: string;

  /**
   * Expected running time in ms on an instance of speed 1.
   * @example 1200
   */
  service_ms!: number;
}

/** Why a task failed. */
export class FailureDto {
  /**
   * Kind of the failure.
   * @example 'worker_error'
   */
  kind!: FailureKind;

  /**
   * What went wrong.
   * @example 'out of memory'
   */
  message!: string;
}

/** Why a task waits. */
export class WaitingDto {
  /**
   * How many instances of its queue cannot take it now, by reason: those of `unfit_because`;
   * `backoff` while it stands aside after a loss or a refusal; `bound_elsewhere` for those that it
   * is not bound to; `labels`, `licences` and `held_back` of jobs; `busy` for the others. Empty
   * while no instance serves its queue.
   * @example { "busy": 3, "draining": 1 }
   */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' } })
  because!: Readonly<Record<string, number>>;

  /**
   * Instance on which it would start as things are; null while none serves its queue.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  planned_instance_id!: string | null;

  /**
   * Tasks that get a turn before it does: in its queue, or at the instance that it is bound to.
   * @example 4
   */
  @ApiProperty({ type: 'integer' })
  ahead!: number;
}

/**
 * When a task runs, by what is predicted, as if nothing came after it: as likely before p50 as
 * after it, nine times of ten before p90.
 */
export class ForecastDto {
  /**
   * When it starts, or started as far as known, ISO 8601.
   * @example '2026-11-21T10:00:02.400Z'
   */
  start_p50!: string;

  /**
   * Nine times of ten it starts before then, ISO 8601.
   * @example '2026-11-21T10:00:03.100Z'
   */
  start_p90!: string;

  /**
   * When its run ends, ISO 8601.
   * @example '2026-11-21T10:00:03.600Z'
   */
  end_p50!: string;

  /**
   * Nine times of ten its run ends before then, ISO 8601.
   * @example '2026-11-21T10:00:04.900Z'
   */
  end_p90!: string;
}

/** One try to run a task. */
export class AttemptDto {
  /**
   * Counts from 1 within the task.
   * @example 1
   */
  @ApiProperty({ type: 'integer' })
  attempt!: number;

  /**
   * Id that the instance was sent with it.
   * @example '0193529e-70a2-7d31-9a30-2f6d0a4f5c12'
   */
  dispatch_id!: string;

  /**
   * Id of the instance.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  instance_id!: string;

  /**
   * `live`: may end the task; `lost`: given up, its success still counts; `abandoned`: the task
   * ended without it; `ended`: over.
   * @example 'ended'
   */
  state!: AttemptState;

  /**
   * Id that the instance gave it; null until it is known.
   * @example '7'
   */
  remote_id!: string | null;

  /**
   * When its slot was reserved, ISO 8601.
   * @example '2026-11-21T10:00:00.010Z'
   */
  reserved_at!: string;

  /**
   * When it was sent, ISO 8601; null until then.
   * @example '2026-11-21T10:00:00.015Z'
   */
  sent_at!: string | null;

  /**
   * When it began to take a slot, as far as known, ISO 8601.
   * @example '2026-11-21T10:00:00.015Z'
   */
  running_since!: string | null;

  /**
   * When it was over, ISO 8601; null until then.
   * @example '2026-11-21T10:00:01.200Z'
   */
  ended_at!: string | null;

  /**
   * How long it ran, in ms, by the instance's word; null where it did not say.
   * @example 1187.5
   */
  execution_ms!: number | null;

  /** Why it went to that instance; null where it was reserved before this was recorded. */
  decision!: DecisionDto | null;
}

/** One thing that happened to a task. */
export class TaskEventDto {
  /**
   * Counts from 1 within the task.
   * @example 2
   */
  @ApiProperty({ type: 'integer' })
  seq!: number;

  /**
   * What happened.
   * @example 'reserved'
   */
  type!: TaskEventType;

  /**
   * State before; null at the beginning, and for a note that changed nothing.
   * @example 'queued'
   */
  from!: TaskState | null;

  /**
   * State after; null for a note that changed nothing.
   * @example 'dispatching'
   */
  to!: TaskState | null;

  /**
   * Attempt that it is about; 0 before the first.
   * @example 1
   */
  @ApiProperty({ type: 'integer' })
  attempt!: number;

  /**
   * Instance that it is about; null where there is none.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  instance_id!: string | null;

  /**
   * When, ISO 8601.
   * @example '2026-11-21T10:00:00.010Z'
   */
  at!: string;

  /**
   * Why, or how, for people.
   * @example 'the fastest free instance'
   */
  message!: string;
}

/** A task with everything that happened to it. */
export class TaskDto {
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
   * Where it stands.
   * @example 'succeeded'
   */
  state!: TaskState;

  /**
   * Instance that has or had it, or on which it is planned; null when there is none.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10'
   */
  instance_id!: string | null;

  /**
   * When it was submitted, ISO 8601.
   * @example '2026-11-21T10:00:00.000Z'
   */
  submitted_at!: string;

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

  /** What was predicted when it was submitted. */
  prediction!: PredictionDto;

  /** Why it failed; null unless it did. */
  failure!: FailureDto | null;

  /** Why it waits; null unless it does (state `queued`). */
  waiting!: WaitingDto | null;

  /**
   * When it will run; null when it has ended, for a placement, and while nothing can be said: its
   * queue is paused, no instance takes it as things are, or it is being stopped.
   */
  forecast!: ForecastDto | null;

  /** Every try to run it, oldest first. */
  attempts!: AttemptDto[];

  /** Everything that happened to it, oldest first. */
  events!: TaskEventDto[];

  /**
   * What its instance made of it, exactly; null while it is live, and without one.
   * @example { "output": "Because of Rayleigh scattering." }
   */
  result!: JsonObject | null;
}
