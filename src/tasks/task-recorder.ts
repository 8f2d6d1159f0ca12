import { Inject, Injectable, Logger } from '@nestjs/common';
import { isSchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import { isTerminal, type Change, type TaskEventType } from '../core/task';
import { TERM, type Term } from '../ops/term';
import { TASK_JOURNAL, type TaskJournal } from '../persistence/task-journal';
import { CHANGE_LISTENERS, type ChangeListener } from './change-listener';
import { PayloadCache } from './payload-cache';

/** Events that somebody may want to look into. */
const NOTABLE: ReadonlySet<TaskEventType> = new Set<TaskEventType>([
  'failed',
  'timed_out',
  'requeued',
  'foreign_result',
]);

/** Writes what the fleet changed to the journal, and tells of it: the log, and whoever listens. */
@Injectable()
export class TaskRecorder {
  private readonly logger = new Logger(TaskRecorder.name);

  constructor(
    private readonly fleet: Fleet,
    @Inject(TASK_JOURNAL)
    private readonly journal: Pick<TaskJournal, 'append' | 'available' | 'spareRows'>,
    private readonly payloads: PayloadCache,
    @Inject(TERM) private readonly term: Term,
    @Inject(CHANGE_LISTENERS) private readonly listeners: readonly ChangeListener[],
  ) {}

  /** False while PostgreSQL is away: nothing new may be begun then. */
  get canRecord(): boolean {
    return this.journal.available;
  }

  /** Rows of which changes that can wait may have so many now; 0 while nothing can be recorded. */
  get spareRows(): number {
    return this.canRecord ? this.journal.spareRows : 0;
  }

  /**
   * Resolves when the changes are committed; tasks that ended then leave memory.
   * @param result raw JSON text of the result, for the change that ended a task
   * @param lingers they may wait for a moment, to be written with what comes next of their task
   * @throws {SchedulerError} store_unavailable, not_leading
   */
  async record(
    changes: readonly Change[],
    result: string | null = null,
    lingers = false,
  ): Promise<void> {
    if (changes.length === 0) return;
    this.tell(changes);
    await this.write(changes, result, lingers);
    for (const { task, event } of changes) {
      // The task may have ended since in memory alone: only the commit of its own end counts.
      if (event.to === null || !isTerminal(event.to)) continue;
      this.payloads.delete(task.id);
      this.fleet.forget(task);
    }
  }

  /** One log line per event, and everyone who listens: the one place where changes are told. */
  tell(changes: readonly Change[]): void {
    for (const { event } of changes) {
      const { taskId, instanceId, attemptNo: attempt, type, message } = event;
      const line = { taskId, instanceId, attempt, event: type, msg: message };
      if (NOTABLE.has(type)) this.logger.warn(line);
      else this.logger.debug(line);
    }
    for (const listener of this.listeners) this.tellOne(listener, changes);
  }

  /** Who only listens must not keep a change from being written. */
  private tellOne(listener: ChangeListener, changes: readonly Change[]): void {
    try {
      listener.told(changes);
    } catch (error) {
      this.logger.error({ msg: 'a listener failed; the tasks go on', error });
    }
  }

  /** A result that the database refuses must not keep the task from ending. */
  private async write(
    changes: readonly Change[],
    result: string | null,
    lingers: boolean,
  ): Promise<void> {
    try {
      await this.journal.append(changes, result, lingers);
    } catch (error) {
      if (result !== null && isSchedulerError(error, 'rejected_by_store')) {
        this.logger.error({ msg: 'the database refused a result; it is recorded as null', error });
        return this.write(changes, null, lingers);
      }
      await this.endTermIfLost(changes);
      throw error;
    }
  }

  /**
   * What memory has done and the journal did not take is a disagreement of the two: the term ends,
   * and the next one begins from the rows. A task that was never recorded is withdrawn meanwhile.
   */
  private async endTermIfLost(changes: readonly Change[]): Promise<void> {
    await new Promise(setImmediate);
    if (!changes.some(({ task }) => this.fleet.tasks.has(task.id))) return;
    this.term.end('the journal did not take a change of a live task');
  }
}
