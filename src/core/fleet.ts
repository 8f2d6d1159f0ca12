import { refusal, type Declined, type FleetLimits, type Submission } from './admission';
import { AttemptIndex } from './attempt-index';
import type { Held } from './backlog';
import { Circuits, type CircuitOptions } from './circuits';
import { Chronicle } from './chronicle';
import { Course, type Backoff, type Grounds } from './course';
import { Instance, type InstanceDraft, type InstanceUpdate } from './instance';
import { InstanceDirectory } from './instance-directory';
import { couldHold, type JobDemand } from './job-fit';
import { LicencePools } from './licences';
import { Placements, type PlacementOptions } from './placements';
import { Placer, type BatchOptions } from './placer';
import type { Ids, Random } from './ports';
import { BATCH_QUEUE, PLACEMENT_QUEUE, Queue } from './queue';
import { SettingsBook, type QueueSettings, type SettingsChange } from './queue-settings';
import { strategyFor, type StrategyCatalog } from './strategy';
import { ONE_SLOT } from './resources';
import { TaskDirectory } from './task-directory';
import {
  isTerminal,
  newTask,
  occupies,
  type Attempt,
  type Change,
  type Outcome,
  type Task,
  type TaskDraft,
  type TaskEventType,
  type TaskKind,
  type TaskRequest,
} from './task';
import type { InstanceId, Instant, QueueKey, TaskId } from './units';

/** What a fleet is made with. */
export interface FleetOptions extends CircuitOptions {
  readonly random: Random;
  readonly ids: Ids;
  readonly strategies: StrategyCatalog;
  readonly limits: FleetLimits;
  readonly lossBackoff: Backoff;
  readonly refusalBackoff: Backoff;
  readonly defaults: QueueSettings;
  readonly batch: BatchOptions;
  readonly placements: PlacementOptions;
}

/**
 * The one mutable picture of instances, queues and live tasks. It lives in memory and has one
 * writer; a method runs to its end without a pause, so each call is a transaction. What changed is
 * in the answer, for whoever keeps the record.
 */
export class Fleet {
  readonly attempts = new AttemptIndex();
  /** What happens to tasks once they are reserved. */
  readonly course: Course;
  /** Tasks whose clients bring them to a worker themselves. */
  readonly placements: Placements;
  /** Which instances are kept from new work for a while. */
  readonly circuits: Circuits;
  /** What jobs draw licence tokens from. */
  readonly licences = new LicencePools(
    () => this.heldByHosts(),
    () => this.stir(),
  );
  private readonly directory = new InstanceDirectory();
  private readonly queuesByKey = new Map<QueueKey, Queue>();
  private readonly taskDirectory = new TaskDirectory();
  private readonly chronicle: Chronicle;
  private readonly placer: Placer;
  /** Queues in which something may be placeable. */
  private readonly stirred = new Set<Queue>();
  private readonly settings: SettingsBook;

  constructor(private readonly options: FleetOptions) {
    this.settings = new SettingsBook(options.defaults, options.batch.strategy);
    this.chronicle = new Chronicle(options.clock);
    const grounds: Grounds = {
      vacate: (held) => this.vacate(held),
      requeue: (task) => this.join(task),
      leave: (task) => this.leave(task),
      ended: (held, outcome) => this.learnFrom(held, outcome),
    };
    this.placer = new Placer(this.chronicle, this.attempts, this.licences, options, (held) => {
      this.occupy(held);
    });
    this.circuits = new Circuits(this.directory, options, (instance) => this.changed(instance));
    this.course = new Course(
      this.chronicle,
      this.attempts,
      grounds,
      options,
      options.lossBackoff,
      options.refusalBackoff,
    );
    this.placements = new Placements(
      {
        queue: () => this.queuesByKey.get(PLACEMENT_QUEUE),
        declined: (task) => this.declined(task),
        enter: (task) => this.taskDirectory.add(task),
        refresh: (worker) => this.refresh(worker),
      },
      this.placer,
      this.course,
      options.clock,
      options.placements,
    );
  }

  get instances(): ReadonlyMap<InstanceId, Instance> {
    return this.directory.all;
  }

  get queues(): ReadonlyMap<QueueKey, Queue> {
    return this.queuesByKey;
  }

  get tasks(): ReadonlyMap<TaskId, Task> {
    return this.taskDirectory.all;
  }

  /** Settings of queues that have none of their own. */
  get defaultSettings(): QueueSettings {
    return this.settings.of(null);
  }

  /** Bytes of input and metadata of all live tasks. */
  get livePayloadBytes(): number {
    return this.taskDirectory.payloadBytes;
  }

  taskByClientId(kind: TaskKind, clientId: string): Task | undefined {
    return this.taskDirectory.ofClient(kind, clientId);
  }

  /** By our own id or the client's. */
  findTask(kind: TaskKind, ref: string): Task | undefined {
    return this.taskDirectory.find(kind, ref);
  }

  /** Leaves a trace in the task's history without moving it. */
  note(task: Task, type: TaskEventType, message: string): Change {
    return this.chronicle.note(task, type, message);
  }

  /** The attempt and its task, while they are in memory. */
  held(attempt: Attempt): Held | undefined {
    return this.attempts.byDispatchId(attempt.dispatchId);
  }

  // --- instances -------------------------------------------------------------------------------

  addInstance(draft: InstanceDraft): Instance {
    const queue = this.queueFor(draft.queue);
    const instance = new Instance(draft, queue.settings.orderG);
    this.directory.add(instance);
    queue.attach(instance);
    this.refresh(instance);
    queue.planAll(this.now);
    return instance;
  }

  /** By our own id, `host:port` or the instance's own name. */
  findInstance(ref: string): Instance | undefined {
    return this.directory.find(ref);
  }

  /** Whoever may be meant by that: workers may have the same name. */
  instancesCalled(ref: string): readonly Instance[] {
    return this.directory.called(ref);
  }

  updateInstance(instance: Instance, update: InstanceUpdate): void {
    const { foreignMs, declaredSpeed, name, ...fields } = update;
    Object.assign(instance, fields);
    if (declaredSpeed !== undefined)
      this.queueFor(instance.queue).declareSpeed(instance, declaredSpeed);
    if (name !== undefined) this.directory.rename(instance, name);
    if (foreignMs !== undefined) instance.backlog.observeForeign(foreignMs, this.now);
    instance.advance(this.now);
    this.changed(instance);
  }

  /** Moves an instance to another queue, as when it serves another model now. */
  moveInstance(instance: Instance, key: QueueKey): void {
    if (instance.queue === key) return;
    const from = this.queueFor(instance.queue);
    from.detach(instance, this.now);
    this.stirred.add(from);
    instance.queue = key;
    // How fast it is, is another matter for every model.
    instance.learnedSpeed.restart(instance.learnedSpeed.declared);
    const to = this.queueFor(key);
    to.attach(instance);
    this.refresh(instance);
    to.planAll(this.now);
    this.dropUnused(from.key);
  }

  /** Takes a removed instance, which still has attempts, back into service. */
  reviveInstance(instance: Instance): void {
    instance.removed = false;
    const queue = this.queueFor(instance.queue);
    queue.attach(instance);
    this.refresh(instance);
    queue.planAll(this.now);
  }

  /** Takes it out of service: its waiting tasks move, its running ones go on to their end. */
  removeInstance(instance: Instance): void {
    instance.removed = true;
    const queue = this.queueFor(instance.queue);
    queue.detach(instance, this.now);
    this.stirred.add(queue);
    if (!this.isNeeded(instance)) this.dismiss(instance);
  }

  // --- settings --------------------------------------------------------------------------------

  /**
   * Takes effect on the next placement; `null` means every queue without such a setting of its own.
   * A queue that has settings is there, also before its first instance.
   * @throws {SchedulerError} unknown_strategy, also of one that is not for such a queue; nothing has
   *   changed then
   */
  configure(key: QueueKey | null, change: SettingsChange): void {
    if (change.strategy) strategyFor(key, change.strategy, this.options.strategies);
    this.settings.change(key, change);
    const queues = key === null ? this.queuesByKey.values() : [this.queueFor(key)];
    for (const queue of queues) this.applySettings(queue, this.settings.of(queue.key));
  }

  settingsFor(key: QueueKey): QueueSettings {
    return this.queuesByKey.get(key)?.settings ?? this.settings.of(key);
  }

  // --- tasks -----------------------------------------------------------------------------------

  /** What `submit` would answer to a task that it does not take: for whom no work need be done. */
  declined(request: TaskRequest): Declined | undefined {
    const { kind, clientId, queue } = request;
    const known = clientId === null ? undefined : this.taskByClientId(kind, clientId);
    if (known) return { kind: 'known', task: known };
    const liveTasks = this.tasks.size - this.taskDirectory.countIn(PLACEMENT_QUEUE);
    const load = { liveTasks, payloadBytes: this.livePayloadBytes };
    return refusal(request, this.queuesByKey.get(queue), load, this.options.limits);
  }

  /** Admits a task and, when a slot is free and nobody is before it, reserves the slot. */
  submit(draft: TaskDraft): Submission {
    const declined = this.declined(draft);
    if (declined) return declined;
    this.circuits.wakeRested();
    const queue = this.queueFor(draft.queue);
    const task = newTask(draft, queue.key);
    this.taskDirectory.add(task);
    const changes = [this.chronicle.enter(task, 'submitted')];
    this.join(task);
    // Jobs are looked at together: `placeWaiting` does.
    const isFirst = queue.jobs === null && queue.line.head(this.now) === task;
    if (isFirst) changes.push(...this.placer.place(queue, task).changes);
    return { kind: 'accepted', task, changes };
  }

  /** True when a host is registered that could hold the job if nothing else were there. */
  couldEverHold(job: JobDemand): boolean {
    const hosts = this.queuesByKey.get(BATCH_QUEUE)?.instances.values() ?? [];
    return [...hosts].some((host) => couldHold(host, job));
  }

  /** Undoes a submission that could not be recorded; nothing was sent. */
  revert(task: Task): void {
    if (task.state === 'queued') this.leave(task);
    const held = task.attempts.flatMap((attempt) => this.held(attempt) ?? []);
    this.forget(task);
    for (const one of held) this.vacate(one);
  }

  /**
   * Places what can be placed, queue by queue and in the order of each line.
   * @param limit placements at most, so that one call stays short
   * @returns the changes, and whether the limit was what ended the call
   */
  placeWaiting(limit: number): { readonly changes: readonly Change[]; readonly more: boolean } {
    this.circuits.wakeRested();
    const changes: Change[] = [];
    let left = limit;
    for (const queue of this.stirred) {
      const placeNext = this.placer.round(queue);
      for (; left > 0; left--) {
        const step = placeNext();
        if (!step.placed) break;
        changes.push(...step.changes);
      }
      this.stirred.delete(queue);
      if (left > 0) continue;
      this.stirred.add(queue);
      return { changes, more: true };
    }
    return { changes, more: false };
  }

  /** When something becomes placeable by the mere passing of time; undefined when nothing does. */
  nextDue(): Instant | undefined {
    let next: Instant | undefined;
    const consider = (due: Instant | undefined): void => {
      if (due !== undefined && (next === undefined || due < next)) next = due;
    };
    consider(this.circuits.nextDue());
    // Tasks that are bound have no backoff.
    for (const queue of this.queuesByKey.values()) {
      consider(queue.line.nextDue());
      if (queue.waiting > 0) consider(queue.lookAgainAt);
    }
    return next;
  }

  /** Looks at every queue with the next `placeWaiting`: time has passed. */
  stir(): void {
    for (const queue of this.queuesByKey.values()) if (queue.waiting > 0) this.stirred.add(queue);
  }

  /** Lets an ended task go once its record is safe; its abandoned attempts stay until they end. */
  forget(task: Task): void {
    if (!this.taskDirectory.delete(task)) return;
    for (const attempt of task.attempts) {
      if (attempt.state !== 'abandoned') this.attempts.delete(attempt.dispatchId);
    }
    this.dropUnused(task.queue);
  }

  /**
   * Takes in a task and its attempts as the record has them. The instances must be here already,
   * and tasks come in the order in which their attempts were reserved: a worker's queue is a FIFO.
   */
  restore(task: Task): void {
    const isLive = !isTerminal(task.state);
    if (isLive) this.taskDirectory.add(task);
    for (const attempt of task.attempts) {
      const held = { attempt, task };
      if (isLive || attempt.state === 'abandoned') this.attempts.add(held);
      if (occupies(attempt)) this.occupy(held);
    }
    if (task.state === 'queued') this.join(task);
  }

  // --- inside ----------------------------------------------------------------------------------

  private get now(): Instant {
    return this.options.clock.now();
  }

  private occupy(held: Held): void {
    const instance = this.directory.get(held.attempt.instanceId);
    if (!instance) throw new Error(`no instance ${held.attempt.instanceId} for its attempt`);
    instance.hold(held, this.now);
    if (instance.headcount) this.placements.took(held.task, instance);
    this.refresh(instance);
  }

  private vacate(held: Held): void {
    const { attempt, task } = held;
    const instance = this.directory.get(attempt.instanceId);
    if (!this.taskDirectory.all.has(task.id)) this.attempts.delete(attempt.dispatchId);
    if (!instance) return;
    if (instance.headcount) this.placements.gaveUp(task);
    if (instance.letGo(held, this.now)) this.refresh(instance);
    if (instance.removed && !this.isNeeded(instance)) this.dismiss(instance);
  }

  /** What occupies hosts, those included that were taken out of service with it. */
  private *heldByHosts(): Iterable<Held> {
    for (const { kind, backlog } of this.directory.all.values()) {
      if (kind === 'host') yield* backlog.held;
    }
  }

  private dismiss(instance: Instance): void {
    this.directory.delete(instance);
    this.dropUnused(instance.queue);
  }

  /** What the end of an attempt says of its instance, and of the predictions of its queue. */
  private learnFrom(held: Held, outcome: Outcome): void {
    this.circuits.ended(held, outcome);
    const instance = this.directory.get(held.attempt.instanceId);
    const queue = this.queuesByKey.get(held.task.queue);
    queue?.learn(held, outcome);
    if (instance && queue?.learnSpeed(instance, held, outcome)) this.refresh(instance);
  }

  /** True while a live attempt is there, even one that has only its result to be fetched. */
  private isNeeded({ id, backlog, headcount }: Instance): boolean {
    if (backlog.heldCount > 0) return true;
    // No result of a worker is ever fetched.
    if (headcount) return false;
    for (const { attempt } of this.attempts.all()) {
      if (attempt.instanceId === id && attempt.state === 'live') return true;
    }
    return false;
  }

  private join(task: Task): void {
    const queue = this.queueFor(task.queue);
    queue.join(task, this.now);
    this.stirred.add(queue);
  }

  /** It waits no more; what was kept for a job is there for the others. */
  private leave(task: Task): void {
    const queue = this.queueOf(task);
    queue.leave(task, undefined, this.now);
    if (queue.jobs !== null) this.stirred.add(queue);
  }

  private queueOf(task: Task): Queue {
    return this.queueFor(task.queue);
  }

  private queueFor(key: QueueKey): Queue {
    const known = this.queuesByKey.get(key);
    if (known) return known;
    const settings = this.settings.of(key);
    const strategy = this.options.strategies.create(settings.strategy);
    const queue = new Queue(key, settings, strategy, ONE_SLOT);
    this.queuesByKey.set(key, queue);
    return queue;
  }

  /** A queue is there for its instances, its tasks and its settings: without any of them it goes. */
  private dropUnused(key: QueueKey): void {
    const queue = this.queuesByKey.get(key);
    if (!queue || queue.instances.size > 0 || this.taskDirectory.countIn(key) > 0) return;
    if (this.settings.has(key)) return;
    this.stirred.delete(queue);
    this.queuesByKey.delete(key);
  }

  private applySettings(queue: Queue, settings: QueueSettings): void {
    const changed = settings.strategy !== queue.settings.strategy;
    const strategy = changed ? this.options.strategies.create(settings.strategy) : undefined;
    queue.configure(settings, strategy);
    for (const instance of queue.instances.values()) queue.refresh(instance, this.now);
    this.stirred.add(queue);
  }

  private refresh(instance: Instance): void {
    const queue = this.queueFor(instance.queue);
    queue.refresh(instance, this.now);
    // To a job it matters what ends on any host: tokens come back, and a reservation moves.
    if (queue.waiting > 0 && (instance.isOpen || queue.jobs !== null)) this.stirred.add(queue);
  }

  private changed(instance: Instance): void {
    this.refresh(instance);
    // A task may be bound to it for a trial while it holds on to nothing.
    const isStranded = !instance.isThere && instance.line.size > 0;
    if (instance.heldOn === instance.holdsOn && !isStranded) return;
    instance.heldOn = instance.holdsOn;
    if (!instance.heldOn) this.setFree(instance);
    else this.queueFor(instance.queue).replanStranded(this.now);
  }

  /** Tasks that wait for this instance, or are planned on it, look for another one. */
  private setFree(instance: Instance): void {
    const queue = this.queueFor(instance.queue);
    queue.setFree(instance, this.now);
    if (queue.waiting > 0) this.stirred.add(queue);
  }
}
