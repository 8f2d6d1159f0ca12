import { setTimeout as sleep } from 'node:timers/promises';
import { SchedulerError } from '../core/errors';
import type { Change, Task, TaskEvent } from '../core/task';
import type { TaskId } from '../core/units';
import { JournalBuffer, JournalCall, rowsOfGroup, unitsOf, type TaskGroup } from './journal-call';
import { JournalLane, LaneClosed, RowsRefused } from './journal-lane';
import { JOURNAL_LIMITS, type JournalLimits } from './journal-limits';
import {
  noteRows,
  rowsOf,
  rowsOfNew,
  type JournalPayload,
  type NewTask,
  type TaskRows,
} from './journal-rows';
import { RowsMismatch, TermEnded, type MismatchedRow } from './journal-transaction';
import { JournalWriter } from './journal-writer';
import type { Log } from './log';
import { StoreUnavailableError, type SubmitAnswer } from './store-unavailable.error';

/** Injection token of the journal, which is made when this process begins to lead. */
export const TASK_JOURNAL = Symbol('TaskJournal');

/** What a journal is made with. */
export interface TaskJournalOptions {
  readonly url: string;
  /** The term in which this process leads. */
  readonly epoch: number;
  readonly limits?: Partial<JournalLimits>;
  readonly logger: Log;
  /** How long a submission waits for a commit of unknown outcome, in ms. Default 10 000. */
  readonly answerWithinMs?: number;
  /** Another term has begun: nothing more is written, and the process must stop leading. */
  onEpochLost(): void;
  /**
   * Memory and table disagree, or the journal has a defect: nothing more is written, and the
   * process must restore itself from the rows. `rows` is what disagrees, as far as it is known.
   */
  onMismatch(rows: readonly MismatchedRow[]): void;
}

/** How the journal is doing. */
export interface JournalStats {
  /** Rows that wait or are under way. */
  readonly pendingRows: number;
  readonly pendingBytes: number;
  /** Since the start: commits, rows written, calls refused by the database, lost connections. */
  readonly flushes: number;
  readonly rows: number;
  readonly refused: number;
  readonly disconnects: number;
  /** Duration of the last commit in ms, from its first statement. */
  readonly lastFlushMs: number;
}

/** One commit. */
export interface Flush {
  readonly rows: number;
  /** From the first change of the batch to its commit. */
  readonly lagMs: number;
}

const ANSWER_WITHIN_MS = 10_000;
const STOP_WITHIN_MS = 5_000;
/**
 * How full new tasks may make the buffer, and how full changes may that can wait. What has happened to a
 * task and cannot be kept ends the term: the rest is for that.
 */
const NEW_SHARE = 0.75;
const PATIENT_SHARE = 0.9;
/** How long a change is held back that may wait for the next one of its task, in ms. */
const LINGER_MS = 100;
/** Refused tasks that are remembered, so that what is said of them later is refused as well. */
const REMEMBERED_REFUSALS = 1_000;

/**
 * Writes what the fleet changed, in the order in which it was told, on one connection: one flush
 * is one transaction, the next begins as soon as the last is committed, and what came meanwhile is
 * its batch. Nobody's answer goes out before the commit that it speaks of.
 */
export class TaskJournal {
  private readonly limits: JournalLimits;
  private readonly lane: JournalLane;
  private readonly writer: JournalWriter;
  private readonly buffer = new JournalBuffer();
  private readonly refusals = new Map<TaskId, Error>();
  private inFlight = { rows: 0, bytes: 0 };
  private running: Promise<void> | undefined;
  private lingerTimer: NodeJS.Timeout | undefined;
  /** Why nothing more is taken. */
  private ended: Error | undefined;
  private refusedCalls = 0;
  private disconnects = 0;
  private watcher: ((flush: Flush) => void) | undefined;

  constructor(private readonly options: TaskJournalOptions) {
    this.limits = { ...JOURNAL_LIMITS, ...options.limits };
    this.lane = new JournalLane({
      url: options.url,
      epoch: options.epoch,
      logger: options.logger,
      onLost: () => {
        this.disconnects++;
        this.turnSubmissionsAway();
      },
    });
    this.writer = new JournalWriter(this.lane, options.logger, () => this.turnSubmissionsAway());
  }

  /** Connects. @throws {StoreUnavailableError} */
  async start(): Promise<void> {
    try {
      await this.lane.open();
    } catch (cause) {
      throw notWritten('the journal cannot reach PostgreSQL', cause);
    }
  }

  /**
   * Takes nothing more, writes what it has, and disconnects.
   * @param withinMs what is not written by then is given up; its callers get `store_unavailable`
   */
  async stop(withinMs = STOP_WITHIN_MS): Promise<void> {
    this.ended ??= notWritten('the scheduler is stopping');
    this.hurry(Number.POSITIVE_INFINITY);
    const bound = new AbortController();
    const { signal } = bound;
    const timer = sleep(withinMs, undefined, { signal }).catch(() => undefined);
    await Promise.race([this.running, timer]);
    bound.abort();
    await this.lane.close();
    await this.running;
  }

  /** False while PostgreSQL is away, or the journal has ended: nothing new should be begun. */
  get available(): boolean {
    return this.lane.isOpen && !this.writer.isStruggling && this.ended === undefined;
  }

  /** Rows of changes that can wait: so many may come before the buffer is as full as those may make it. */
  get spareRows(): number {
    const { maxBufferedRows, maxBufferedBytes } = this.limits;
    const { rows, bytes } = this.pending;
    if (bytes > maxBufferedBytes * PATIENT_SHARE) return 0;
    return Math.max(0, Math.floor(maxBufferedRows * PATIENT_SHARE) - rows);
  }

  /** Tells one listener of every commit. It must not throw: that would end the journal. */
  watch(listener: (flush: Flush) => void): void {
    this.watcher = listener;
  }

  /** How the journal is doing. */
  stats(): JournalStats {
    const { rows, bytes } = this.pending;
    return {
      pendingRows: rows,
      pendingBytes: bytes,
      refused: this.refusedCalls,
      disconnects: this.disconnects,
      ...this.writer.counts,
    };
  }

  /**
   * Writes a new task. Call it in the same synchronous block as the change: rows are copied now.
   * @param changes of this one task, the first being its entry
   * @throws {StoreUnavailableError} `outcome` says whether the task may come to be nevertheless
   * @throws {SchedulerError} rejected_by_store, not_leading: it was not written
   */
  async submit(changes: readonly Change[], payload: JournalPayload): Promise<SubmitAnswer> {
    const call = new JournalCall(rowsOfNew({ changes, payload }));
    this.enqueueNew([call]);
    return call.answer;
  }

  /**
   * Writes new tasks in one commit: all of them, or none. For the rest as `submit`.
   * @returns one answer per task, in their order
   */
  submitTogether(tasks: readonly NewTask[]): readonly Promise<SubmitAnswer>[] {
    const together = Symbol('together');
    const calls = tasks.map((task) => new JournalCall(rowsOfNew(task), together));
    this.enqueueNew(calls);
    return calls.map(({ answer }) => answer);
  }

  /**
   * Writes changes of tasks that were submitted. Call it in the same synchronous block as the
   * change. Of several tasks it rejects when one is refused, although the others are written.
   * @param result raw JSON text of the result, when the changes end one task
   * @param lingers they may wait for up to 100 ms, to be written with what is said next of their task
   * @throws {StoreUnavailableError} the buffer is full: not written
   * @throws {SchedulerError} rejected_by_store, duplicate_task or store_unavailable (the task was
   *   never recorded), not_leading: not written
   */
  async append(
    changes: readonly Change[],
    result: string | null = null,
    lingers = false,
  ): Promise<void> {
    const byTask = new Map<Task, Change[]>();
    for (const change of changes) {
      const known = byTask.get(change.task);
      if (known) known.push(change);
      else byTask.set(change.task, [change]);
    }
    if (result !== null && byTask.size !== 1) throw new Error('a result belongs to one task');
    const rows = [...byTask].map(([task, own]) => rowsOf(own, task, null, result));
    await Promise.all(rows.map((one) => this.add(one, lingers)));
  }

  /**
   * Leaves a trace on a task that has left memory; the database numbers it. A task whose history
   * is gone gets none. @throws as `append`
   */
  async note(event: TaskEvent): Promise<void> {
    await this.add(noteRows(event));
  }

  /** What waits or is under way. */
  private get pending(): { rows: number; bytes: number } {
    const { buffer, inFlight } = this;
    return { rows: buffer.rows + inFlight.rows, bytes: buffer.bytes + inFlight.bytes };
  }

  // --- calls -----------------------------------------------------------------------------------

  private add(rows: TaskRows, lingers = false): Promise<SubmitAnswer> {
    const call = new JournalCall(rows, null, lingers);
    this.enqueue([call]);
    return call.answer;
  }

  private enqueueNew(calls: readonly JournalCall[]): void {
    if (this.available) this.enqueue(calls);
    else rejectAll(calls, this.ended ?? notWritten('PostgreSQL is away'));
  }

  /** Takes all of them, or rejects all. */
  private enqueue(calls: readonly JournalCall[]): void {
    const refusal = this.refusalOf(calls);
    if (refusal) {
      rejectAll(calls, refusal);
      return;
    }
    for (const call of calls) this.buffer.add(call);
    this.begin();
  }

  private begin(): void {
    if (!this.buffer.isEmpty) this.running ??= this.run();
    if (!this.buffer.lingers) return;
    this.lingerTimer ??= setTimeout(() => {
      this.lingerTimer = undefined;
      this.hurry(performance.now() - LINGER_MS);
    }, LINGER_MS).unref();
  }

  /** Writes what has lingered since before then. */
  private hurry(before: number): void {
    this.buffer.hurryOlder(before);
    this.begin();
  }

  private refusalOf(calls: readonly JournalCall[]): Error | undefined {
    if (this.ended) return this.ended;
    let { rows, bytes } = this.pending;
    for (const call of calls) {
      const refusal = this.refusals.get(call.rows.taskId);
      if (refusal) return refusal;
      rows += call.rowCount;
      bytes += call.rows.bytes;
    }
    const share = calls.some(({ isSubmission }) => isSubmission) ? NEW_SHARE : 1;
    const { maxBufferedRows, maxBufferedBytes } = this.limits;
    if (rows <= maxBufferedRows * share && bytes <= maxBufferedBytes * share) return undefined;
    return notWritten('too much waits for PostgreSQL already');
  }

  /** Rejects the call; a task that will never be recorded takes what was said of it along. */
  private refuse(call: JournalCall, error: Error, later: readonly JournalCall[] = []): void {
    call.reject(error);
    if (!call.isSubmission) return;
    this.remember(call.rows.taskId, error);
    for (const other of [...later, ...this.buffer.remove(call.rows.taskId)]) other.reject(error);
  }

  private remember(id: TaskId, error: Error): void {
    this.refusals.set(id, error);
    const [oldest] = this.refusals.keys();
    if (this.refusals.size > REMEMBERED_REFUSALS && oldest) this.refusals.delete(oldest);
  }

  /** Submissions that are not under way were certainly not written: they need not wait. */
  private turnSubmissionsAway(): void {
    const error = notWritten('PostgreSQL is away');
    for (const { taskId, calls } of this.buffer.removeSubmissions()) {
      this.remember(taskId, error);
      for (const call of calls) call.reject(error);
    }
  }

  /** Nothing more is written: the term is over, or this process must not go on with it. */
  private fail(calls: readonly JournalCall[], error: unknown): void {
    const reason = reasonFor(error);
    this.ended ??= reason;
    for (const call of calls) call.reject(reason);
    for (const { calls: waiting } of this.buffer.removeAll()) {
      for (const call of waiting) call.reject(this.ended);
    }
    if (error instanceof LaneClosed) return;
    this.options.logger.error({ msg: 'the journal has ended', error });
    if (error instanceof TermEnded) this.options.onEpochLost();
    else this.options.onMismatch(error instanceof RowsMismatch ? error.rows : []);
  }

  // --- the lane --------------------------------------------------------------------------------

  /** Flushes until nothing waits. What is said in the same turn as the first call goes along. */
  private async run(): Promise<void> {
    await new Promise(setImmediate);
    while (!this.buffer.isEmpty) {
      await this.flush(this.buffer.take(this.limits.maxBatchRows, this.limits.maxBatchBytes));
    }
    this.running = undefined;
  }

  private async flush(groups: readonly TaskGroup[]): Promise<void> {
    const calls = groups.flatMap((group) => group.calls);
    this.inFlight = {
      rows: calls.reduce((sum, call) => sum + call.rowCount, 0),
      bytes: calls.reduce((sum, call) => sum + call.rows.bytes, 0),
    };
    const patience = this.options.answerWithinMs ?? ANSWER_WITHIN_MS;
    const timer = setTimeout(() => {
      for (const call of calls) if (call.isSubmission) call.giveUpWaiting(patience);
    }, patience);
    try {
      await this.write(groups);
      this.told(calls);
    } catch (error) {
      this.fail(calls, error);
    } finally {
      clearTimeout(timer);
      this.inFlight = { rows: 0, bytes: 0 };
    }
  }

  private told(calls: readonly JournalCall[]): void {
    const first = calls.find(({ lingers }) => !lingers);
    if (!first) return;
    this.watcher?.({ rows: this.inFlight.rows, lagMs: performance.now() - first.since });
  }

  /**
   * Writes the groups, halving them around a refused row until it stands alone, or with those that
   * are written with it or not at all.
   */
  private async write(groups: readonly TaskGroup[]): Promise<void> {
    try {
      const twins = await this.writer.write(groups.map(rowsOfGroup));
      for (const group of groups) this.settle(group, twins.get(group.taskId));
    } catch (error) {
      if (!(error instanceof RowsRefused)) throw error;
      await this.isolate(groups, error);
    }
  }

  private async isolate(groups: readonly TaskGroup[], error: RowsRefused): Promise<void> {
    const units = unitsOf(groups);
    const half = Math.ceil(units.length / 2);
    const [group] = groups;
    if (units.length > 1) {
      await this.write(units.slice(0, half).flat());
      await this.write(units.slice(half).flat());
    } else if (groups.length > 1) {
      for (const one of groups) this.refuseGroup(one, error);
    } else if (group) {
      await this.isolateCall(group, error);
    }
  }

  private refuseGroup({ taskId, calls }: TaskGroup, error: RowsRefused): void {
    const [first, ...later] = calls;
    if (!first) return;
    this.refusedCalls++;
    const msg = 'the database refused a row';
    this.options.logger.error({ msg, taskId, error: error.message });
    this.refuse(first, rejected(taskId, error), later);
  }

  /** One task's calls, each by itself: what was said before the refused one is kept. */
  private async isolateCall({ taskId, calls }: TaskGroup, error: RowsRefused): Promise<void> {
    const [first, ...later] = calls;
    if (!first) return;
    if (later.length === 0) {
      this.refuseGroup({ taskId, calls }, error);
      return;
    }
    await this.write([{ taskId, calls: [first] }]);
    const refusal = this.refusals.get(taskId);
    for (const call of later) {
      if (refusal) call.reject(refusal);
      else await this.write([{ taskId, calls: [call] }]);
    }
  }

  private settle({ taskId, calls }: TaskGroup, twin: TaskId | undefined): void {
    const [first, ...later] = calls;
    if (twin === undefined || !first?.isSubmission) {
      for (const call of calls) call.resolve({ kind: 'committed' });
      return;
    }
    first.resolve({ kind: 'duplicate', id: twin });
    const error = new SchedulerError('duplicate_task', `task ${taskId} is ${twin} already`);
    this.remember(taskId, error);
    for (const call of [...later, ...this.buffer.remove(taskId)]) call.reject(error);
  }
}

function rejectAll(calls: readonly JournalCall[], error: Error): void {
  for (const call of calls) call.reject(error);
}

function notWritten(why: string, cause?: unknown): StoreUnavailableError {
  return new StoreUnavailableError(`${why}; nothing was written`, 'not_written', null, { cause });
}

function rejected(taskId: TaskId, cause: RowsRefused): SchedulerError {
  const message = `the database refused the record of task ${taskId}`;
  return new SchedulerError('rejected_by_store', message, {}, { cause });
}

/** What the callers of a batch are told when the journal ends with it. */
function reasonFor(error: unknown): SchedulerError {
  if (error instanceof LaneClosed) {
    const message = 'the scheduler stopped before PostgreSQL confirmed this';
    return new StoreUnavailableError(message, 'unknown', null, { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new SchedulerError('not_leading', message, {}, { cause: error });
}
