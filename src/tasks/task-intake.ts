import { Inject, Injectable } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { Change, Task } from '../core/task';
import type { InstanceId, TaskId } from '../core/units';
import { crashPoint } from '../ops/crash-points';
import { WakeupBell } from '../ops/wakeup';
import {
  StoreUnavailableError,
  type LateAnswer,
  type SubmitAnswer,
} from '../persistence/store-unavailable.error';
import { TASK_JOURNAL, type TaskJournal } from '../persistence/task-journal';
import { Outbox } from './outbox';
import { PayloadCache, type Payload } from './payload-cache';
import { TaskHistory } from './task-history';
import { TaskRecorder } from './task-recorder';

/** What a client gets for a task. */
export interface Receipt {
  readonly taskId: TaskId;
  readonly clientId: string | null;
  /** Where it is placed or planned. */
  readonly instanceId: InstanceId | null;
}

/** A task that the fleet has taken, and what is to be written of it. */
export interface Admitted {
  readonly task: Task;
  readonly changes: readonly Change[];
  readonly payload: Payload;
}

/** Brings tasks that the fleet has taken into the record: only then are they promised, and sent. */
@Injectable()
export class TaskIntake {
  /** Submissions that are not committed yet: a twin waits for the same commit. */
  private readonly committing = new Map<TaskId, Promise<Receipt>>();

  constructor(
    private readonly fleet: Fleet,
    @Inject(TASK_JOURNAL) private readonly journal: TaskJournal,
    private readonly recorder: TaskRecorder,
    private readonly history: TaskHistory,
    private readonly payloads: PayloadCache,
    private readonly outbox: Outbox,
    private readonly bell: WakeupBell,
  ) {}

  /**
   * Resolves when the task is committed, or was before: a twin that came first has the answer. Call
   * it in the turn in which the fleet took it.
   * @throws {SchedulerError} store_unavailable, rejected_by_store, not_leading; nobody has the task then
   */
  keep(admitted: Admitted): Promise<Receipt> {
    const { changes, payload } = admitted;
    return this.follow(admitted, this.journal.submit(changes, payload));
  }

  /** As `keep`, for several tasks in one commit: all of them, or none. Receipts in their order. */
  async keepAll(admitted: readonly Admitted[]): Promise<readonly Receipt[]> {
    const answers = this.journal.submitTogether(admitted);
    const receipts = answers.flatMap((answer, index) => {
      const one = admitted[index];
      return one ? [this.follow(one, answer)] : [];
    });
    return Promise.all(receipts);
  }

  /** What the client of a live task gets, or got, for it; waits for its commit, and fails as that does. */
  async receiptFor(task: Task): Promise<Receipt> {
    return (await this.committing.get(task.id)) ?? receiptOf(task);
  }

  private follow(admitted: Admitted, written: Promise<SubmitAnswer>): Promise<Receipt> {
    const receipt = written
      .then((answer) => this.settle(admitted, answer))
      .catch((error: unknown) => this.fail(admitted, error));
    this.committing.set(admitted.task.id, receipt);
    return receipt;
  }

  private fail(admitted: Admitted, error: unknown): never {
    if (error instanceof StoreUnavailableError && error.settled) {
      // Until it is known a repeat gets the same answer; nothing is promised that may not be there.
      void error.settled.then((late) => this.settleLate(admitted, late));
    } else {
      this.withdraw(admitted.task);
    }
    throw error;
  }

  /** Committed: from here on the task is kept, and may be sent. */
  private settle(
    { task, changes, payload }: Admitted,
    answer: SubmitAnswer,
  ): Receipt | Promise<Receipt> {
    if (answer.kind === 'duplicate') return this.yieldTo(answer.id, task);
    this.committing.delete(task.id);
    crashPoint('submit:committed');
    this.recorder.tell(changes);
    if (task.state === 'queued') this.payloads.offer(task.id, payload);
    // Of a placement nothing is ever sent.
    else if (task.state === 'dispatching') this.payloads.put(task.id, payload);
    this.outbox.post(changes);
    this.bell.signal();
    return receiptOf(task);
  }

  /** The client was told "unknown" long ago; the task is kept all the same if it was written. */
  private async settleLate(admitted: Admitted, late: LateAnswer): Promise<void> {
    this.committing.delete(admitted.task.id);
    if (late.kind === 'committed') await this.settle(admitted, late);
    else this.withdraw(admitted.task);
  }

  /** A twin that is in the history, or came in between, was first: its answer is the answer. */
  private async yieldTo(twin: TaskId, task: Task): Promise<Receipt> {
    this.withdraw(task);
    const live = this.fleet.tasks.get(twin);
    if (live) return receiptOf(live);
    const view = await this.history.findNamed(task.kind, twin);
    if (!view) throw new SchedulerError('duplicate_task', `task ${String(task.clientId)} is taken`);
    return { taskId: view.id, clientId: view.clientId, instanceId: view.instanceId };
  }

  /** Nothing of it was written, and nothing was sent. */
  private withdraw(task: Task): void {
    this.committing.delete(task.id);
    this.fleet.revert(task);
    this.bell.signal();
  }
}

function receiptOf(task: Task): Receipt {
  return { taskId: task.id, clientId: task.clientId, instanceId: whereabouts(task) };
}

/** Where it is planned while it waits, else where its newest attempt is or was. */
export function whereabouts({ state, plannedOn, attempts }: Task): InstanceId | null {
  return state === 'queued' ? plannedOn : (attempts.at(-1)?.instanceId ?? plannedOn);
}
