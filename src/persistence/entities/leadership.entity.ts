import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from './bigint';

/** Who leads, and until when. There is one row. */
@Entity('leadership')
export class LeadershipEntity {
  @PrimaryColumn('text')
  name!: string;

  /** Number of the term; grows with every change of hands. */
  @Column('bigint', { transformer: bigintAsNumber })
  epoch!: number;

  /** Random id of the holding process; null after a resignation. */
  @Column('text', { nullable: true })
  holder!: string | null;

  @Column('text', { nullable: true })
  machine!: string | null;

  @Column('text', { name: 'boot_id', nullable: true })
  bootId!: string | null;

  @Column('integer', { nullable: true })
  pid!: number | null;

  /** When that pid was started, in the system's own terms. */
  @Column('text', { name: 'pid_started', nullable: true })
  pidStarted!: string | null;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'renewed_at' })
  renewedAt!: Date;
}
