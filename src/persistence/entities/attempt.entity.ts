import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AttemptState, Decision } from '../../core/task';
import type { DispatchId, InstanceId, TaskId } from '../../core/units';

/** One try to run a task. Only the journal writes it. */
@Entity('attempts')
export class AttemptEntity {
  @PrimaryColumn('uuid', { name: 'task_id' })
  taskId!: TaskId;

  @PrimaryColumn('integer', { name: 'attempt_no' })
  attemptNo!: number;

  @Column('uuid', { name: 'dispatch_id' })
  dispatchId!: DispatchId;

  @Column('uuid', { name: 'instance_id' })
  instanceId!: InstanceId;

  /** The instance's registration when this was reserved. */
  @Column('integer')
  registration!: number;

  @Column('text')
  state!: AttemptState;

  /** The id that the worker gave to it. */
  @Column('text', { name: 'remote_id', nullable: true })
  remoteId!: string | null;

  /** Of the instance, then. Null in rows from before this was recorded. */
  @Column('double precision', { nullable: true })
  speed!: number | null;

  /** Null in rows from before this was recorded. */
  @Column('jsonb', { nullable: true })
  decision!: Decision | null;

  @Column('timestamptz', { name: 'reserved_at' })
  reservedAt!: Date;

  @Column('timestamptz', { name: 'sent_at', nullable: true })
  sentAt!: Date | null;

  @Column('timestamptz', { name: 'running_since', nullable: true })
  runningSince!: Date | null;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;

  /** By the worker's word, in ms. */
  @Column('double precision', { name: 'execution_ms', nullable: true })
  executionMs!: number | null;

  /** Its worker is through with it, and its result is still to be fetched. */
  @Column('boolean', { default: false })
  vacated!: boolean;
}
