import type { TaskId } from '../core/units';
import { merge, rowCount, type TaskRows } from './journal-rows';
import {
  StoreUnavailableError,
  type LateAnswer,
  type SubmitAnswer,
} from './store-unavailable.error';

interface Settle {
  readonly resolve: (answer: SubmitAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Who is told before the promise is made. */
const NOBODY: Settle = { resolve: () => undefined, reject: () => undefined };

/** What one caller of the journal waits for. */
export class JournalCall {
  /** Settled once, when the outcome is known; of a submission also when it stays unknown. */
  readonly answer: Promise<SubmitAnswer>;
  readonly rowCount: number;
  /** On the monotonic clock. */
  readonly since = performance.now();
  private late: ((outcome: LateAnswer) => void) | undefined;
  private settle = NOBODY;

  /**
   * @param together what is written with it in one commit, or not at all, has the same
   * @param lingers it may wait for a while for something else to be said of its task
   */
  constructor(
    readonly rows: TaskRows,
    readonly together: symbol | null = null,
    readonly lingers = false,
  ) {
    this.rowCount = rowCount(rows);
    this.answer = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
  }

  /** True when it brings a task into being. */
  get isSubmission(): boolean {
    return this.rows.birth !== null;
  }

  resolve(answer: SubmitAnswer): void {
    if (this.late) this.late(answer);
    else this.settle.resolve(answer);
  }

  reject(error: Error): void {
    if (this.late) this.late({ kind: 'not_written', error });
    else this.settle.reject(error);
  }

  /** Tells the submitter that the outcome is unknown; what becomes of it is told by `settled`. */
  giveUpWaiting(waitedMs: number): void {
    if (this.late) return;
    const settled = new Promise<LateAnswer>((resolve) => {
      this.late = resolve;
    });
    const message =
      `the database has not confirmed task ${this.rows.taskId} within ${waitedMs} ms: it may or ` +
      'may not be kept; repeat with the same task_id to find out';
    this.settle.reject(new StoreUnavailableError(message, 'unknown', settled));
  }
}

/** All calls about one task that are written together, oldest first. */
export interface TaskGroup {
  readonly taskId: TaskId;
  readonly calls: readonly JournalCall[];
}

/** The groups, parted into what is written in one commit or not at all. */
export function unitsOf(groups: readonly TaskGroup[]): readonly (readonly TaskGroup[])[] {
  const units: TaskGroup[][] = [];
  let last: symbol | null = null;
  for (const group of groups) {
    const together = togetherOf(group);
    if (together !== null && together === last) units.at(-1)?.push(group);
    else units.push([group]);
    last = together;
  }
  return units;
}

function togetherOf({ calls }: Pick<TaskGroup, 'calls'>): symbol | null {
  return calls[0]?.together ?? null;
}

/** The group's rows, coalesced: the last state, the newest attempts, every event. */
export function rowsOfGroup({ calls }: TaskGroup): TaskRows {
  return calls.map(({ rows }) => rows).reduce(merge);
}

/** Calls that wait for a flush, by task: whatever concerns one task stays together. */
export class JournalBuffer {
  private readonly groups = new Map<TaskId, JournalCall[]>();
  /** Tasks of which nothing was said yet that has to be written at once. */
  private readonly lingering = new Map<TaskId, JournalCall[]>();
  private rowTotal = 0;
  private byteTotal = 0;

  get rows(): number {
    return this.rowTotal;
  }

  get bytes(): number {
    return this.byteTotal;
  }

  /** True while there is nothing to be written at once. */
  get isEmpty(): boolean {
    return this.groups.size === 0;
  }

  get lingers(): boolean {
    return this.lingering.size > 0;
  }

  add(call: JournalCall): void {
    const { taskId, bytes } = call.rows;
    const waiting = call.lingers ? this.lingering.get(taskId) : this.hurry(taskId);
    const group = this.groups.get(taskId) ?? waiting;
    if (group) group.push(call);
    else (call.lingers ? this.lingering : this.groups).set(taskId, [call]);
    this.rowTotal += call.rowCount;
    this.byteTotal += bytes;
  }

  /** Has written at once what has lingered since before then, on the monotonic clock. */
  hurryOlder(before: number): void {
    for (const [taskId, [first]] of this.lingering) {
      if (first && first.since > before) return;
      this.hurry(taskId);
    }
  }

  private hurry(taskId: TaskId): JournalCall[] | undefined {
    const calls = this.lingering.get(taskId);
    if (!calls) return undefined;
    this.lingering.delete(taskId);
    this.groups.set(taskId, calls);
    return calls;
  }

  /**
   * The oldest groups that fit; at least one, however large it is. What belongs together was added
   * in one turn, and so stands together: it is never parted.
   */
  take(mostRows: number, mostBytes: number): readonly TaskGroup[] {
    const taken: TaskGroup[] = [];
    let rows = 0;
    let bytes = 0;
    let last: symbol | null = null;
    for (const [taskId, calls] of this.groups) {
      for (const call of calls) {
        rows += call.rowCount;
        bytes += call.rows.bytes;
      }
      const together = togetherOf({ calls });
      const goesAlong = together !== null && together === last;
      const isFull = rows > mostRows || bytes > mostBytes;
      if (taken.length > 0 && isFull && !goesAlong) break;
      last = together;
      taken.push({ taskId, calls });
      this.remove(taskId);
    }
    return taken;
  }

  /** Takes out what waits for that task. */
  remove(taskId: TaskId): readonly JournalCall[] {
    const calls = this.groups.get(taskId) ?? this.lingering.get(taskId) ?? [];
    this.groups.delete(taskId);
    this.lingering.delete(taskId);
    for (const call of calls) {
      this.rowTotal -= call.rowCount;
      this.byteTotal -= call.rows.bytes;
    }
    return calls;
  }

  /** Takes out the tasks that are not recorded yet, with everything that was said of them. */
  removeSubmissions(): readonly TaskGroup[] {
    const removed: TaskGroup[] = [];
    for (const [taskId, calls] of this.groups) {
      if (calls[0]?.isSubmission !== true) continue;
      removed.push({ taskId, calls });
      this.remove(taskId);
    }
    return removed;
  }

  /** Takes out everything. */
  removeAll(): readonly TaskGroup[] {
    this.hurryOlder(Number.POSITIVE_INFINITY);
    return this.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  }
}
