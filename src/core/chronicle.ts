import type { Clock } from './ports';
import {
  isLegalMove,
  type Attempt,
  type Change,
  type Task,
  type TaskEventType,
  type TaskState,
} from './task';

/** Moves tasks between states and says what happened: nothing else writes `task.state`. */
export class Chronicle {
  constructor(private readonly clock: Clock) {}

  /**
   * Moves the task and describes the move.
   * @throws {Error} when the transition table has no such move: a defect, not an input error
   */
  move(
    task: Task,
    to: TaskState,
    type: TaskEventType,
    message: string,
    attempts: readonly Attempt[] = [],
    operator: string | null = null,
  ): Change {
    const from = task.state;
    if (!isLegalMove(from, to))
      throw new Error(`task ${task.id} cannot move from ${from} to ${to}`);
    task.state = to;
    return this.describe(task, type, from, to, message, attempts, operator);
  }

  /** The first event of a task, which enters as `queued`. */
  enter(task: Task, message: string, operator: string | null = null): Change {
    return this.describe(task, 'submitted', null, 'queued', message, [], operator);
  }

  /** The first event of a placement, which is at its worker from the first. */
  begin(task: Task, message: string, attempt: Attempt): Change {
    task.state = 'dispatched';
    return this.describe(task, 'submitted', null, 'dispatched', message, [attempt], null);
  }

  /** Leaves a trace without a move. */
  note(
    task: Task,
    type: TaskEventType,
    message: string,
    attempts: readonly Attempt[] = [],
    operator: string | null = null,
  ): Change {
    return this.describe(task, type, null, null, message, attempts, operator);
  }

  private describe(
    task: Task,
    type: TaskEventType,
    from: TaskState | null,
    to: TaskState | null,
    message: string,
    attempts: readonly Attempt[],
    operator: string | null,
  ): Change {
    const newest = attempts.at(-1);
    return {
      task,
      attempts,
      event: {
        taskId: task.id,
        seq: ++task.eventSeq,
        type,
        from,
        to,
        attemptNo: newest?.no ?? task.attemptNo,
        instanceId: newest?.instanceId ?? null,
        wallMs: this.clock.wallMs(),
        message,
        operator,
      },
    };
  }
}
