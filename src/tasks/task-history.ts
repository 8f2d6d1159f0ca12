import { Inject, Injectable } from '@nestjs/common';
import { QuantileDistribution } from '../core/distribution';
import type { Instance } from '../core/instance';
import type { Clock } from '../core/ports';
import { isTerminal, type TaskEventType, type TaskKind } from '../core/task';
import type { InstanceId } from '../core/units';
import { CLOCK } from '../ops/system';
import type { ShownTask } from '../persistence/stored-task';
import { TASK_JOURNAL, type TaskJournal } from '../persistence/task-journal';
import { TasksRepository, type Retention } from '../persistence/tasks.repository';
import { ReportTraces } from './report-traces';
import type { TaskView } from './task-view';

/** Tasks that have left memory. */
@Injectable()
export class TaskHistory {
  /** What reports that change nothing leave behind. */
  readonly traces = new ReportTraces();

  constructor(
    private readonly tasks: TasksRepository,
    @Inject(TASK_JOURNAL) private readonly journal: TaskJournal,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * By our own id, the client's, or the newest attempt that a worker (that one, when it is given)
   * gave this id. Only what has ended: a live task is memory's to answer for.
   */
  async find(kind: TaskKind, ref: string, on?: InstanceId): Promise<TaskView | undefined> {
    return (await this.findNamed(kind, ref)) ?? this.findByRemoteId(kind, ref, on);
  }

  /** By our own id or the client's only. */
  async findNamed(kind: TaskKind, ref: string): Promise<TaskView | undefined> {
    const row =
      (await this.tasks.findById(ref)) ?? (await this.tasks.findByClientId(kind, ref)) ?? undefined;
    return row && endedOf(kind, row);
  }

  /** By the newest attempt that a worker gave this id only. */
  async findByRemoteId(
    kind: TaskKind,
    ref: string,
    on?: InstanceId,
  ): Promise<TaskView | undefined> {
    const row = await this.tasks.findByRemoteId(ref, on);
    return row ? endedOf(kind, row) : undefined;
  }

  /** A task that has ended is reported again by that instance: that leaves a trace, once. */
  async noteRepeat(task: TaskView, { id, name }: Instance): Promise<void> {
    const type = 'duplicate_result';
    await this.traces.once(task.id, type, id, () =>
      this.note(task, type, `reported again by ${name}`, null),
    );
  }

  /**
   * Leaves a trace on a task that has left memory.
   * @param operator who asked for it; null when nobody did
   */
  async note(
    { id, attemptNo, instanceId }: Pick<TaskView, 'id' | 'attemptNo' | 'instanceId'>,
    type: TaskEventType,
    message: string,
    operator: string | null,
  ): Promise<void> {
    const wallMs = this.clock.wallMs();
    const what = { taskId: id, type, attemptNo, instanceId, wallMs, message, operator };
    await this.journal.note({ ...what, seq: null, from: null, to: null });
  }

  /** Removes a batch of what is too old. @returns how many tasks it touched */
  async retain(bounds: Retention): Promise<number> {
    const { payloads, tasks } = await this.tasks.retain(bounds);
    return Math.max(payloads, tasks);
  }
}

function endedOf(kind: TaskKind, row: ShownTask): TaskView | undefined {
  return row.kind === kind && isTerminal(row.state) ? viewOfEnded(row) : undefined;
}

/** A task as its final row tells. */
export function viewOfEnded(row: ShownTask): TaskView {
  return {
    id: row.id,
    kind: row.kind,
    clientId: row.clientTaskId,
    queueName: row.queueName,
    state: row.state,
    instanceId: row.instanceId,
    attemptNo: row.attemptNo,
    submittedWallMs: row.submittedAt.getTime(),
    finishedWallMs: row.finishedAt?.getTime() ?? null,
    executionMs: row.executionMs,
    result: row.result ?? null,
    failure: row.failureKind && { kind: row.failureKind, message: row.failureMessage ?? '' },
    prediction: { method: row.predictionMethod, meanMs: meanOf(row) },
  };
}

function meanOf({ predictionLevels, predictionQuantiles }: ShownTask): number {
  return new QuantileDistribution(predictionLevels, predictionQuantiles).mean;
}
