import { ApiProperty } from '@nestjs/swagger';
import type { Health, Infeasible, InstanceKind } from '../../core/instance';

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
   * Host at which it is reached.
   * @example '127.0.0.1'
   */
  host!: string;

  /**
   * Port at which it listens.
   * @example 8100
   */
  @ApiProperty({ type: 'integer' })
  port!: number;

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
   * Why it gets no new work now; null when it may.
   * @example null
   */
  unfit_because!: Infeasible | null;

  /**
   * True when it is to get no new work.
   * @example false
   */
  draining!: boolean;

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
   * How much faster than the reference it works.
   * @example 1
   */
  speed!: number;

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

/** `GET /v1/instances` */
export class InstancesDto {
  /** Every instance in service, by model and name. */
  instances!: InstanceDto[];
}
