import { ApiProperty } from '@nestjs/swagger';

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
   * Tasks that wait.
   * @example 5
   */
  @ApiProperty({ type: 'integer' })
  waiting!: number;

  /** The wait at each of its instances. */
  instances!: QueueWaitDto[];
}

/** `GET /v1/queues` */
export class QueuesDto {
  /** Every queue of model tasks that has, or had, an instance since the start. */
  queues!: QueueDto[];
}
