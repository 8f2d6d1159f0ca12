import { ApiProperty } from '@nestjs/swagger';

/** A worker, with the names that the original gave its fields. */
export class WorkerDto {
  /**
   * Name of the worker.
   * @example 'worker-001'
   */
  WorkerID!: string;

  /**
   * Where clients reach it.
   * @example '192.168.1.100:9000'
   */
  Address!: string;

  /**
   * What it can do.
   * @example ["gpu", "cuda-12.0"]
   */
  ResourceTags!: string[];

  /**
   * Tasks that it runs at once.
   * @example 30
   */
  @ApiProperty({ type: 'integer' })
  MaxTasks!: number;

  /**
   * Tasks that it has, those on their way to it included.
   * @example 5
   */
  @ApiProperty({ type: 'integer' })
  CurrentTasks!: number;

  /**
   * Tasks that it could take now.
   * @example 25
   */
  @ApiProperty({ type: 'integer' })
  Available!: number;

  /**
   * When it was last heard of, by the clock of the scheduler, RFC 3339 in UTC.
   * @example '2026-11-21T10:00:00.000Z'
   */
  LastHeartbeat!: string;

  /**
   * `suspicious` after 10 s of silence and `offline` after 20 s, unless that is set otherwise: it
   * gets nothing then.
   * @example 'online'
   */
  Status!: 'online' | 'suspicious' | 'offline';
}
