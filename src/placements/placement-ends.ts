import { Injectable, Logger } from '@nestjs/common';
import type { Change, Task } from '../core/task';
import type { TaskId } from '../core/units';
import { WakeupBell } from '../ops/wakeup';
import { TaskRecorder } from '../tasks/task-recorder';

/** Placements that end in one turn, at most: they hold up everybody else. */
const MOST_AT_ONCE = 1_000;
/** One of the task, one of its attempt and one of what happened. */
const ROWS_EACH = 3;

/** Records that placements are over. */
@Injectable()
export class PlacementEnds {
  private readonly logger = new Logger(PlacementEnds.name);
  private readonly recording = new Map<TaskId, Promise<void>>();

  constructor(
    private readonly recorder: TaskRecorder,
    private readonly bell: WakeupBell,
  ) {}

  /**
   * How many may end now by themselves. The journal buffers so many rows and no more, and what it does
   * not take ends the term: the others follow with the next turn, or the next heartbeat.
   */
  get atOnce(): number {
    return Math.min(MOST_AT_ONCE, Math.floor(this.recorder.spareRows / ROWS_EACH));
  }

  /**
   * Resolves when it is committed.
   * @throws {SchedulerError} store_unavailable, not_leading
   */
  async record(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    this.bell.signal();
    const written = this.recorder.record(changes);
    for (const { task } of changes) this.recording.set(task.id, written);
    try {
      await written;
    } finally {
      for (const { task } of changes) this.recording.delete(task.id);
    }
  }

  /** As `record`, for ends that nobody waits for. A failure ends the term, which says why. */
  recordLater(changes: readonly Change[]): void {
    this.record(changes).catch((error: unknown) => {
      this.logger.debug({ msg: 'the end of placements was not recorded', error });
    });
  }

  /** Resolves when the end of the task is committed, or failed to be; undefined when nothing is under way. */
  of(task: Task): Promise<unknown> | undefined {
    return this.recording.get(task.id)?.catch(() => undefined);
  }
}
