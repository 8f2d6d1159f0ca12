import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TaskEventType, TaskState } from '../../core/task';
import type { InstanceId, TaskId } from '../../core/units';
import { bigintAsNumber } from './bigint';

/** Something that happened to a task. Only the journal writes it. */
@Entity('task_events')
export class TaskEventEntity {
  /** In the order of writing, over all tasks. */
  @PrimaryColumn('bigint', {
    generated: 'identity',
    generatedIdentity: 'ALWAYS',
    transformer: bigintAsNumber,
  })
  id!: number;

  @Column('uuid', { name: 'task_id' })
  taskId!: TaskId;

  /** Counts from 1 within the task. */
  @Column('integer')
  seq!: number;

  @Column('text')
  type!: TaskEventType;

  /** Null for a note, and for the entry of a task. */
  @Column('text', { name: 'from_state', nullable: true })
  fromState!: TaskState | null;

  /** Null for a note. */
  @Column('text', { name: 'to_state', nullable: true })
  toState!: TaskState | null;

  @Column('integer', { name: 'attempt_no' })
  attemptNo!: number;

  @Column('uuid', { name: 'instance_id', nullable: true })
  instanceId!: InstanceId | null;

  @Column('timestamptz')
  at!: Date;

  @Column('text')
  message!: string;

  /** Who asked for it, in their own words; null when nobody did. */
  @Column('text', { nullable: true })
  operator!: string | null;

  /** The term that wrote it. */
  @Column('bigint', { transformer: bigintAsNumber })
  epoch!: number;
}
