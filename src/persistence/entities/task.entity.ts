import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { FailureKind, JobNeeds, Task, TaskKind, TaskState } from '../../core/task';
import type { InstanceId, TaskId } from '../../core/units';
import { bigintAsNumber } from './bigint';

/**
 * A task as its row has it. Only the journal writes it. `json` columns come as raw text, exactly as
 * they were stored; null when retention has removed them. Durations are ms.
 */
@Entity('tasks')
export class TaskEntity {
  @PrimaryColumn('uuid')
  id!: TaskId;

  @Column('text')
  kind!: TaskKind;

  @Column('text', { name: 'client_task_id', nullable: true })
  clientTaskId!: string | null;

  /** The model, or the pool. */
  @Column('text', { name: 'queue_name' })
  queueName!: string;

  @Column('integer')
  priority!: number;

  @Column('text')
  state!: TaskState;

  @Column('integer', { name: 'attempt_no' })
  attemptNo!: number;

  /** Number of its newest event, until it ended. */
  @Column('integer', { name: 'event_seq' })
  eventSeq!: number;

  @Column('timestamptz', { name: 'not_before', nullable: true })
  notBefore!: Date | null;

  /** Of the newest attempt. */
  @Column('uuid', { name: 'instance_id', nullable: true })
  instanceId!: InstanceId | null;

  @Column('uuid', { name: 'avoid_instance_id', nullable: true })
  avoidInstanceId!: InstanceId | null;

  @Column('text', { name: 'stop_reason', nullable: true })
  stopReason!: Task['stopReason'];

  @Column('text', { name: 'failure_kind', nullable: true })
  failureKind!: FailureKind | null;

  @Column('text', { name: 'failure_message', nullable: true })
  failureMessage!: string | null;

  /** Read only when asked for: up to 1 MiB. */
  @Column('json', { name: 'task_input', nullable: true, select: false })
  taskInput?: string | null;

  /** Read only when asked for. */
  @Column('json', { nullable: true, select: false })
  metadata?: string | null;

  @Column('json', { nullable: true })
  result!: string | null;

  @Column('integer', { name: 'payload_bytes' })
  payloadBytes!: number;

  @Column('text', { name: 'prediction_method' })
  predictionMethod!: string;

  @Column('double precision', { name: 'prediction_levels', array: true })
  predictionLevels!: number[];

  @Column('double precision', { name: 'prediction_quantiles', array: true })
  predictionQuantiles!: number[];

  @Column('integer', { name: 'max_attempts' })
  maxAttempts!: number;

  /** Null for whatever is no batch job. */
  @Column('jsonb', { nullable: true })
  job!: JobNeeds | null;

  /** How often a batch job was tried again. */
  @Column('integer', { default: 0 })
  retries!: number;

  @Column('double precision', { name: 'attempt_timeout_ms' })
  attemptTimeoutMs!: number;

  @Column('double precision', { name: 'demand_slots' })
  demandSlots!: number;

  @Column('double precision', { name: 'demand_cpu' })
  demandCpu!: number;

  @Column('double precision', { name: 'demand_memory_gb' })
  demandMemoryGb!: number;

  @Column('double precision', { name: 'demand_gpu_memory_gb' })
  demandGpuMemoryGb!: number;

  @Column('timestamptz', { name: 'submitted_at' })
  submittedAt!: Date;

  /** When an attempt first occupied a slot. */
  @Column('timestamptz', { name: 'started_at', nullable: true })
  startedAt!: Date | null;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;

  /** By the worker's word. */
  @Column('double precision', { name: 'execution_ms', nullable: true })
  executionMs!: number | null;

  /** The term that wrote it last. */
  @Column('bigint', { transformer: bigintAsNumber })
  epoch!: number;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
