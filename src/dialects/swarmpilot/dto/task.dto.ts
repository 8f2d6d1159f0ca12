import { IsString, MaxLength, MinLength } from 'class-validator';
import type { JsonObject } from '../../../http/dto-fields';
import { LONGEST_WORKER_ID } from './limits';

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
