import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { InstanceKind, WorkerProtocol } from '../../core/instance';
import type { TaskKind } from '../../core/task';
import type { InstanceId } from '../../core/units';

/** A worker, in service or not. Rows stay: attempts point to them. */
@Entity('instances')
export class InstanceEntity {
  @PrimaryColumn('uuid')
  id!: InstanceId;

  @Column('text')
  kind!: InstanceKind;

  @Column('text', { name: 'queue_kind' })
  queueKind!: TaskKind;

  /** The model that it serves. */
  @Column('text', { name: 'queue_name' })
  queueName!: string;

  @Column('text')
  host!: string;

  @Column('integer')
  port!: number;

  /** The instance's own name. */
  @Column('text')
  name!: string;

  @Column('text')
  protocol!: WorkerProtocol;

  /** Counts the registrations of this address. */
  @Column('integer')
  registration!: number;

  /** By the word of an operator; whether the worker itself drains is not kept. */
  @Column('boolean', { name: 'draining', default: false })
  drainAsked!: boolean;

  /** It has reported a result by itself at least once. */
  @Column('boolean', { default: false })
  notifies!: boolean;

  /** Work per ms, by its own word. */
  @Column('double precision', { name: 'speed_declared', default: 1 })
  speedDeclared!: number;

  /** Logarithm of how much faster it proved to be than that, beside the others of its queue. */
  @Column('double precision', { name: 'speed_surplus', default: 0 })
  speedSurplus!: number;

  /** Completed tasks that this rests on. */
  @Column('integer', { name: 'speed_outcomes', default: 0 })
  speedOutcomes!: number;

  /** Of a batch host; of others it is known only once they answer. Null: not said. */
  @Column('double precision', { nullable: true })
  slots!: number | null;

  /** Cores of a batch host. */
  @Column('double precision', { nullable: true })
  cpu!: number | null;

  @Column('double precision', { name: 'memory_gb', nullable: true })
  memoryGb!: number | null;

  /** Of a worker that only asks for placement. */
  @Column('double precision', { name: 'gpu_memory_gb', nullable: true })
  gpuMemoryGb!: number | null;

  /** Tags of such a worker. */
  @Column('jsonb', { default: [] })
  tags!: readonly string[];

  /** Where clients reach such a worker. */
  @Column('text', { default: '' })
  endpoint!: string;

  /** Labels of a batch host, by name. */
  @Column('jsonb', { default: {} })
  labels!: Readonly<Record<string, string>>;

  /** Command that leads to a batch host; empty: this machine. */
  @Column('text', { name: 'executor_prefix', default: '' })
  executorPrefix!: string;

  @Column('timestamptz', { name: 'registered_at' })
  registeredAt!: Date;

  @Column('timestamptz', { name: 'removed_at', nullable: true })
  removedAt!: Date | null;
}
