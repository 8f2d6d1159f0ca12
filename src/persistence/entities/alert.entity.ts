import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from './bigint';

/** Something that operators were told. */
@Entity('alerts')
export class AlertEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  kind!: string;

  /** The event that it tells of; null for a condition, and for a test. */
  @Column('bigint', { name: 'event_id', nullable: true, transformer: bigintAsNumber })
  eventId!: number | null;

  /** What it is about: id of a job or instance, key of a queue; empty for a summary. */
  @Column('text')
  subject!: string;

  @Column('text')
  message!: string;

  /** JSON text of an object. */
  @Column('json')
  details!: string;

  /** Alerts of its kind that were left out before it. */
  @Column('integer', { name: 'left_out' })
  leftOut!: number;

  @Column('timestamptz', { name: 'raised_at' })
  raisedAt!: Date;

  /** When a condition was seen to be over. */
  @Column('timestamptz', { name: 'over_at', nullable: true })
  overAt!: Date | null;
}

/** Whether an alert reached one receiver. */
@Entity('alert_deliveries')
export class AlertDeliveryEntity {
  @PrimaryColumn('uuid', { name: 'alert_id' })
  alertId!: string;

  @PrimaryColumn('text')
  url!: string;

  @Column('text')
  state!: 'pending' | 'delivered' | 'given_up';

  @Column('integer')
  tries!: number;

  @Column('timestamptz', { name: 'next_try_at', nullable: true })
  nextTryAt!: Date | null;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;

  /** What went wrong at the last try. */
  @Column('text', { nullable: true })
  error!: string | null;
}

/** Up to where events were looked at, and what was left out since. One row. */
@Entity('alert_progress')
export class AlertProgressEntity {
  @PrimaryColumn('text')
  name!: string;

  @Column('bigint', { name: 'seen_event_id', transformer: bigintAsNumber })
  seenEventId!: number;

  /** JSON text: how many, by kind. */
  @Column('json', { name: 'left_out' })
  leftOut!: string;
}
