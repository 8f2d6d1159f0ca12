import type { Held } from '../../src/core/backlog';
import type { Ending } from '../../src/core/course';
import type { Fleet } from '../../src/core/fleet';
import type { Instance } from '../../src/core/instance';
import { isVainTrial } from '../../src/core/placement';
import type { Queue } from '../../src/core/queue';
import {
  isLegalMove,
  isTerminal,
  type AttemptState,
  type Change,
  type Task,
  type TaskDraft,
  type TaskState,
} from '../../src/core/task';
import type { DispatchId, InstanceId, Instant, TaskId } from '../../src/core/units';

interface AttemptEntry {
  readonly instanceId: InstanceId;
  state: AttemptState;
  vacated: boolean;
}

interface TaskEntry {
  readonly draft: TaskDraft;
  state: TaskState | null;
  seq: number;
  /** Until when it stands aside, as it was when it came back. */
  notBefore: Instant | null;
  /** False when the fleet may have let it go. */
  remembered: boolean;
  readonly attempts: Map<DispatchId, AttemptEntry>;
}

/** Ids that workers give to attempts; few, as those of a worker that begins anew. */
export const REMOTE_IDS: readonly string[] = ['r-0', 'r-1', 'r-2'];

/**
 * What a fleet must look like, worked out from RELIABILITY_MODEL, sections 3 and 5, and from the
 * events alone. Placements are taken as they come and judged; everything else is foretold.
 */
export class FleetLedger {
  private readonly entries = new Map<TaskId, TaskEntry>();

  /** A task is about to be offered to the fleet. */
  offer(draft: TaskDraft): void {
    const attempts = new Map<DispatchId, AttemptEntry>();
    const fresh = { state: null, seq: 0, notBefore: null, remembered: true };
    this.entries.set(draft.id, { draft, ...fresh, attempts });
  }

  /** It was not taken, or its submission was undone. */
  withdraw(id: TaskId): void {
    this.entries.delete(id);
  }

  /** Its record is safe: the fleet lets it go. */
  forget(id: TaskId): void {
    this.entry(id).remembered = false;
  }

  get remembered(): readonly TaskEntry[] {
    return [...this.entries.values()].filter((entry) => entry.remembered);
  }

  /** Tasks that ought to be in line in that queue. */
  waitingIn(queue: Queue): readonly TaskEntry[] {
    return this.remembered.filter(
      ({ draft, state }) => draft.queue === queue.key && state === 'queued',
    );
  }

  /** How many attempts occupy the instance. */
  occupied(id: InstanceId): number {
    return this.occupants(id).length;
  }

  /** Reads events as they come: each continues its task's row and is legal. */
  record(fleet: Fleet, changes: readonly Change[], now: Instant): void {
    for (const change of changes) {
      const { event } = change;
      const entry = this.entry(event.taskId);
      must(event.seq === entry.seq + 1, `seq ${String(event.seq)} after ${entry.seq}`);
      entry.seq += 1;
      if (event.type === 'requeued') entry.notBefore = change.task.notBefore;
      if (event.type === 'reserved') this.reserve(fleet, change, now);
      if (event.to === null) continue;
      must(event.from === entry.state, `${event.type} starts at ${String(event.from)}`);
      must(isLegalMove(event.from, event.to), `${String(event.from)} > ${event.to} is no move`);
      entry.state = event.to;
    }
  }

  // --- what must follow from what happens --------------------------------------------------------

  confirmed({ attempt, task }: Held): TaskState | null {
    const { state } = this.entry(task.id);
    const counts = this.attempt(task.id, attempt.dispatchId).state === 'live';
    return counts && state === 'dispatching' ? 'dispatched' : state;
  }

  started({ attempt, task }: Held): TaskState | null {
    const { state } = this.entry(task.id);
    const counts = this.attempt(task.id, attempt.dispatchId).state === 'live';
    return counts && state === 'dispatched' ? 'running' : state;
  }

  vacated({ attempt, task }: Held): TaskState | null {
    const known = this.attempt(task.id, attempt.dispatchId);
    if (known.state === 'live') known.vacated = true;
    return this.entry(task.id).state;
  }

  ended(
    { attempt, task }: Held,
    success: boolean,
  ): { readonly kind: Ending['kind']; readonly state: TaskState | null } {
    const entry = this.entry(task.id);
    const known = this.attempt(task.id, attempt.dispatchId);
    if (known.state === 'ended') return { kind: 'ignored', state: entry.state };
    if (entry.state !== null && isTerminal(entry.state)) {
      known.state = 'ended';
      return { kind: 'freed', state: entry.state };
    }
    if (known.state === 'lost' && !success) return { kind: 'ignored', state: entry.state };
    for (const rival of entry.attempts.values()) {
      if (rival.state === 'live') rival.state = rival.vacated ? 'ended' : 'abandoned';
    }
    known.state = 'ended';
    return { kind: 'recorded', state: success ? 'succeeded' : 'failed' };
  }

  returned({ attempt, task }: Held): TaskState | null {
    const known = this.attempt(task.id, attempt.dispatchId);
    const was = known.state;
    if (was === 'live' || was === 'abandoned') known.state = 'ended';
    return was === 'live' ? 'queued' : this.entry(task.id).state;
  }

  lost({ attempt, task }: Held): TaskState | null {
    const entry = this.entry(task.id);
    const known = this.attempt(task.id, attempt.dispatchId);
    if (known.state === 'abandoned') known.state = 'ended';
    else if (known.state === 'live') {
      known.state = 'lost';
      const losses = [...entry.attempts.values()].filter(({ state }) => state === 'lost').length;
      return losses >= entry.draft.maxAttempts ? 'failed' : 'queued';
    }
    return entry.state;
  }

  stopped({ id }: Task, reason: 'cancelled' | 'timed_out'): TaskState | null {
    const entry = this.entry(id);
    if (entry.state === null || isTerminal(entry.state)) return entry.state;
    if (entry.state === 'queued') return 'cancelled';
    for (const known of entry.attempts.values()) {
      if (known.state === 'live') known.state = known.vacated ? 'ended' : 'abandoned';
    }
    return reason;
  }

  /** The state that the events have led to is the one that was foretold. */
  expectState(id: TaskId, expected: TaskState | null): void {
    const { state } = this.entry(id);
    must(state === expected, `task ${id} is ${String(state)}, should be ${String(expected)}`);
  }

  // --- comparing ---------------------------------------------------------------------------------

  /** Everything that the fleet shows is what the ledger says. */
  compare(fleet: Fleet): void {
    const remembered = this.remembered;
    must(fleet.tasks.size === remembered.length, `the fleet has ${fleet.tasks.size} tasks`);
    for (const entry of remembered) this.compareTask(fleet, entry);
    for (const instance of fleet.instances.values()) {
      const held = [...instance.backlog.held].map(({ attempt }) => attempt.dispatchId);
      const expected = this.occupants(instance.id);
      must(
        sameSet(held, expected),
        `${instance.id} holds ${String(held)}, not ${String(expected)}`,
      );
      const { draining, health, slots, line } = instance;
      const lets = draining || health === 'lost' || slots === 0;
      must(!lets || line.size === 0, `tasks stay bound to ${instance.id}, which takes none`);
    }
    const indexed = new Set(fleet.attempts.all());
    for (const remoteId of REMOTE_IDS) {
      const named = fleet.attempts.byRemoteId(remoteId);
      must(!named || indexed.has(named), `${remoteId} still leads to an attempt that is forgotten`);
    }
    for (const { attempt, task } of indexed) {
      const isKept = fleet.tasks.has(task.id) || attempt.state === 'abandoned';
      must(isKept, `attempt ${attempt.dispatchId} of forgotten task ${task.id} is still indexed`);
    }
  }

  private compareTask(fleet: Fleet, { draft, state, seq, attempts }: TaskEntry): void {
    const task = fleet.tasks.get(draft.id);
    must(task?.state === state, `${draft.id} is ${String(task?.state)}, not ${String(state)}`);
    must(task.eventSeq === seq, `${draft.id} has ${task.eventSeq} events, not ${seq}`);
    must(task.attemptNo === attempts.size, `${draft.id} counts ${task.attemptNo} attempts`);
    const kept = task.attempts.filter((attempt) => attempt.state !== 'ended');
    const expected = [...attempts].filter(([, attempt]) => attempt.state !== 'ended');
    must(
      sameSet(
        kept.map((attempt) => `${attempt.dispatchId} ${attempt.state}`),
        expected.map(([id, attempt]) => `${id} ${attempt.state}`),
      ),
      `${draft.id} keeps other attempts than it has`,
    );
    for (const { dispatchId } of kept) {
      must(fleet.attempts.byDispatchId(dispatchId)?.task === task, `${dispatchId} is not indexed`);
    }
    if (draft.clientId === null) return;
    const named = fleet.taskByClientId(draft.kind, draft.clientId);
    must(named === task, `${draft.clientId} does not lead to ${draft.id}`);
  }

  /** Judges a placement: allowed there (I7), and nobody better was passed over. */
  private reserve(fleet: Fleet, { task, attempts }: Change, now: Instant): void {
    const attempt = attempts.at(-1);
    const instance = attempt && fleet.instances.get(attempt.instanceId);
    const queue = fleet.queues.get(task.queue);
    must(attempt !== undefined && instance !== undefined, `${task.id} went nowhere`);
    must(queue?.instances.get(instance.id) === instance, `${task.id} went to another queue`);
    must(this.isOpen(queue, instance, now), `I7: ${instance.id} could not take ${task.id}`);
    const { decision } = attempt;
    must(decision !== null, `nobody knows why ${task.id} went to ${instance.id}`);
    const isLate = queue.strategy.binding === 'late';
    const isThen = isLate ? decision.decidedAt === now : decision.decidedAt <= now;
    must(isThen, `${task.id} was reserved at ${now} and decided at ${decision.decidedAt}`);
    const { notBefore } = this.entry(task.id);
    must(notBefore === null || notBefore <= now, `${task.id} was placed in its backoff`);
    if (isLate) {
      const rivals = this.waitingIn(queue).filter(({ draft }) => draft.id !== task.id);
      const better = rivals.find(
        ({ draft }) => isEligible(fleet.tasks.get(draft.id), now) && precedes(draft, task, queue),
      );
      must(!better, `${task.id} was placed before ${String(better?.draft.id)}`);
    }
    this.entry(task.id).attempts.set(attempt.dispatchId, {
      instanceId: instance.id,
      state: 'live',
      vacated: false,
    });
  }

  /** True when the instance may get a task now: a free slot, or room for one that is sent ahead. */
  isOpen(queue: Queue, instance: Instance, now: Instant): boolean {
    const { removed, draining, health, slots, circuit, notifies } = instance;
    if (queue.settings.paused || removed || draining) return false;
    if (health !== 'online' || slots === 0) return false;
    // Of what is there now, some may have been reserved after the moment that is looked at.
    const known = new Set(this.occupants(instance.id));
    const held = [...instance.backlog.held].filter(({ attempt }) => known.has(attempt.dispatchId));
    if (circuit.withholds(held, now) !== undefined) return false;
    const ahead = Math.max(queue.settings.prefetch, notifies ? 0 : 1);
    return this.occupied(instance.id) < slots + ahead;
  }

  /** After placing: no free instance beside a task that could have it. */
  expectNothingPlaceable(fleet: Fleet, now: Instant): void {
    for (const queue of fleet.queues.values()) {
      const free = [...queue.instances.values()].filter((one) => this.isOpen(queue, one, now));
      const idle = free.filter((instance) => instance.line.size > 0);
      must(idle.length === 0, `${String(idle[0]?.id)} is free, and a task is bound to it`);
      if (free.length === 0) continue;
      // Nobody overtakes the first one, which may have to wait for another instance.
      const left = queue.line.head(now);
      const able = free.find((instance) => !left || !isVainTrial(queue, left, instance));
      must(!left || !able, `${String(left?.id)} waits although ${String(able?.id)} is free`);
    }
  }

  private occupants(id: InstanceId): readonly DispatchId[] {
    return [...this.entries.values()]
      .flatMap(({ attempts }) => [...attempts])
      .filter(([, { instanceId }]) => instanceId === id)
      .filter(([, { state, vacated }]) => !vacated && (state === 'live' || state === 'abandoned'))
      .map(([dispatchId]) => dispatchId);
  }

  private entry(id: TaskId): TaskEntry {
    const entry = this.entries.get(id);
    must(entry !== undefined, `task ${id} came from nowhere`);
    return entry;
  }

  private attempt(id: TaskId, dispatchId: DispatchId): AttemptEntry {
    const attempt = this.entry(id).attempts.get(dispatchId);
    must(attempt !== undefined, `attempt ${dispatchId} came from nowhere`);
    return attempt;
  }
}

/** @throws {Error} when it does not hold */
export function must(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(message);
}

function isEligible(task: Task | undefined, now: Instant): boolean {
  return task !== undefined && (task.notBefore === null || task.notBefore <= now);
}

/** True when `a` comes clearly before `b` in the order of the queue's line. */
function precedes(a: TaskDraft, b: TaskDraft, { settings }: Queue): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  const key = ({ submittedAt, prediction }: TaskDraft): number =>
    submittedAt + settings.orderG * prediction.serviceTime.mean;
  return key(a) < key(b);
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const set = new Set(a);
  return a.length === b.length && b.every((item) => set.has(item));
}
