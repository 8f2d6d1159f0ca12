import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { StrategyName } from '../../core/units';

/** Settings of one queue, or of all that have none of their own. Null: not set here. */
@Entity('strategy_settings')
export class StrategySettingEntity {
  /** `<kind>/<name>`, or `*`. */
  @PrimaryColumn('text')
  queue!: string;

  @Column('text', { nullable: true })
  strategy!: StrategyName | null;

  @Column('double precision', { name: 'order_g', nullable: true })
  orderG!: number | null;

  @Column('integer', { nullable: true })
  prefetch!: number | null;

  @Column('integer', { name: 'waiting_limit', nullable: true })
  limit!: number | null;

  @Column('boolean', { nullable: true })
  paused!: boolean | null;

  @Column('double precision', { name: 'attempt_timeout_ms', nullable: true })
  attemptTimeoutMs!: number | null;

  @Column('integer', { nullable: true })
  retries!: number | null;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
