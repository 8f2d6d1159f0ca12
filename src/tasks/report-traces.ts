import type { TaskEventType } from '../core/task';
import type { InstanceId, TaskId } from '../core/units';

/** Traces that are remembered; of what is older, the next repeat leaves another one. */
const MOST_REMEMBERED = 10_000;

/**
 * Reports that change nothing leave one trace in the history for each task, kind and instance,
 * however often a worker repeats them; the others are counted.
 */
export class ReportTraces {
  /** Reports that left none. */
  untraced = 0;
  private readonly left = new Set<string>();

  /** Has the trace written, unless it is there; one that could not be written is not. */
  async once(
    task: TaskId,
    type: TaskEventType,
    by: InstanceId,
    write: () => Promise<void>,
  ): Promise<void> {
    const key = `${task}/${type}/${by}`;
    if (this.left.has(key)) {
      this.untraced++;
      return;
    }
    this.add(key);
    try {
      await write();
    } catch (error) {
      this.left.delete(key);
      throw error;
    }
  }

  private add(key: string): void {
    this.left.add(key);
    if (this.left.size <= MOST_REMEMBERED) return;
    const [oldest] = this.left;
    if (oldest !== undefined) this.left.delete(oldest);
  }
}
