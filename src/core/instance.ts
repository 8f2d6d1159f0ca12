import { Backlog, type Held, type Pace } from './backlog';
import { Circuit, type Withheld } from './circuit';
import type { Estimate } from './distribution';
import { Headcount } from './headcount';
import { fits, loadOf, take, type Resources } from './resources';
import { Speed, type SpeedRecord } from './speed';
import type { Candidate, Standing } from './strategy';
import type { TaskKind } from './task';
import { TrackRecord } from './track-record';
import type { InstanceId, Instant, QueueKey } from './units';
import { WaitingLine } from './waiting-line';

/** What kind of capacity an instance is; kinds never mix. */
export type InstanceKind = 'task_instance' | 'host' | 'worker';

/** Which kind of instance takes a kind of task. */
export const INSTANCE_KIND_OF = {
  model: 'task_instance',
  batch: 'host',
  placement: 'worker',
} as const satisfies Record<TaskKind, InstanceKind>;

/**
 * `online`: answers. `suspect`: silent for a while, gets no new work. `lost`: silent for so long
 * that its attempts were given up.
 */
export const HEALTHS = ['online', 'suspect', 'lost'] as const;
/** One of `HEALTHS`. */
export type Health = (typeof HEALTHS)[number];

/** Which generation of the worker's interface it speaks (contracts/task-instance). */
export type WorkerProtocol = 'enqueue' | 'submit';

/** What is known of an instance when it joins the fleet. */
export interface InstanceDraft {
  readonly id: InstanceId;
  readonly kind: InstanceKind;
  readonly queue: QueueKey;
  readonly host: string;
  readonly port: number;
  /** The instance's own name. */
  readonly name: string;
  readonly protocol: WorkerProtocol;
  /** Counts the registrations of this address; ids of a worker are bound to one of them. */
  readonly registration: number;
  readonly capacity: Resources;
  /** Has it ever reported a result by itself? */
  readonly notifies: boolean;
  /** An operator has asked that it gets no new work. */
  readonly drainAsked: boolean;
  readonly health: Health;
  readonly lastContact: Instant;
  readonly registeredWallMs: number;
  /** How fast it is; by default nothing is known. */
  readonly speed?: SpeedRecord;
  /** What it is beside its size; by default it has none of it. */
  readonly traits?: Traits;
}

/** What a batch host is beside its size. */
export interface HostTraits {
  /** By name, as in `os: linux`: a job may ask for some. */
  readonly labels: Readonly<Record<string, string>>;
  /** Command that leads there, as in `ssh -o BatchMode=yes user@host`; `""`: this machine. */
  readonly executorPrefix: string;
}

/** What a worker is beside its size. */
export interface WorkerTraits {
  /** What it can do, each once: a placement may ask for some. */
  readonly tags: readonly string[];
  /** Where clients reach it, as in `10.0.0.5:8080`: passed on, never called. */
  readonly endpoint: string;
}

/** What an instance is beside its size. */
export type Traits = HostTraits & WorkerTraits;

/** Of an instance that says nothing of it. */
export const NO_TRAITS: Traits = Object.freeze({
  labels: {},
  executorPrefix: '',
  tags: [],
  endpoint: '',
});

/** Why an instance cannot take a task now. */
export type Infeasible =
  'removed' | 'draining' | 'lost' | 'suspect' | 'no_replicas' | 'too_small' | Withheld;

/** Why an instance gets no new task. */
export type Unfit = Infeasible | 'paused';

/**
 * How an instance stands towards the next task of its queue. `free`: a slot is; `ahead`: none is, but
 * one task more may be sent; `busy`: it has all that it may have; else why it gets none at all.
 */
export type Readiness = 'free' | 'ahead' | 'busy' | Unfit;

/** What may change about an instance while it is in the fleet. */
export type InstanceUpdate = Partial<
  Pick<
    Instance,
    | 'name'
    | 'protocol'
    | 'registration'
    | 'capacity'
    | 'traits'
    | 'notifies'
    | 'drainAsked'
    | 'drainsItself'
    | 'health'
    | 'lastContact'
    | 'provesAbsence'
  >
> & {
  /** Work per ms, by its own word. */
  readonly declaredSpeed?: number;
  readonly foreignMs?: number;
};

/** A worker of the fleet and the work bound to it. Only `Fleet` changes it. */
export class Instance implements Standing, Pace {
  readonly id: InstanceId;
  readonly kind: InstanceKind;
  readonly host: string;
  readonly port: number;
  readonly registeredWallMs: number;
  readonly backlog = new Backlog();
  /** Whether new work goes there, by what became of what went there before. */
  readonly circuit = new Circuit();
  /** How the last tasks there ended. */
  readonly record = new TrackRecord();
  /** Tasks bound to this instance by an early-binding strategy. */
  readonly line: WaitingLine;
  /** How many tasks it has by its own word, of a worker that only asks for placement; else null. */
  readonly headcount: Headcount | null;
  queue: QueueKey;
  name: string;
  protocol: WorkerProtocol;
  registration: number;
  capacity: Resources;
  traits: Traits;
  notifies: boolean;
  /** An operator has asked that it gets no new work; holds until an operator takes it back. */
  drainAsked: boolean;
  /** The worker itself says that it finishes what it has and takes nothing more. */
  drainsItself = false;
  health: Health;
  lastContact: Instant;
  removed = false;
  /** Can it prove that it does not have an attempt? */
  provesAbsence = false;
  /** What it says of its speed, and what was learned beside that. */
  readonly learnedSpeed: Speed;
  /** Work per ms; a task predicted at `t` ms takes `t / speed` here. */
  speed: number;
  /** `holdsOn` as the fleet saw it last. */
  heldOn: boolean;
  /** As its queue saw it last; null while it is in none. Only the queue writes it. */
  readiness: Readiness | null = null;

  constructor(draft: InstanceDraft, orderG: number) {
    this.id = draft.id;
    this.kind = draft.kind;
    this.queue = draft.queue;
    this.host = draft.host;
    this.port = draft.port;
    this.name = draft.name;
    this.protocol = draft.protocol;
    this.registration = draft.registration;
    this.capacity = draft.capacity;
    this.traits = draft.traits ?? NO_TRAITS;
    this.notifies = draft.notifies;
    this.drainAsked = draft.drainAsked;
    this.health = draft.health;
    this.lastContact = draft.lastContact;
    this.registeredWallMs = draft.registeredWallMs;
    this.line = new WaitingLine(orderG);
    this.headcount = draft.kind === 'worker' ? new Headcount() : null;
    this.learnedSpeed = new Speed(draft.speed);
    this.speed = this.learnedSpeed.declared;
    this.heldOn = this.holdsOn;
  }

  /** True while work may be planned on it. */
  get isFit(): boolean {
    return this.holdsOn && this.health === 'online';
  }

  /** True while tasks that are bound to it may go on waiting for it. */
  get holdsOn(): boolean {
    return this.isThere && this.circuit.isClosed;
  }

  /** False while it can take nothing, not even a task on trial. */
  get isThere(): boolean {
    return this.health !== 'lost' && !this.draining && this.slots > 0;
  }

  /** `host:port`. */
  get address(): string {
    return `${this.host}:${this.port}`;
  }

  get slots(): number {
    return this.capacity.slots;
  }

  /** True when it is to get no new work, by whoever's wish. */
  get draining(): boolean {
    return this.drainAsked || this.drainsItself;
  }

  /** Tasks that occupy it. */
  get occupied(): number {
    return this.headcount?.occupied ?? this.backlog.heldCount;
  }

  /** What is taken of it: of a worker's places those that it says, since it may have other clients. */
  get used(): Resources {
    const { used } = this.backlog;
    return this.headcount ? { ...used, slots: this.headcount.occupied } : used;
  }

  /** Tasks that no slot has begun. */
  get waiting(): number {
    return this.backlog.plannedCount + Math.max(0, this.backlog.heldCount - this.slots);
  }

  /** Occupied share of the scarcest resource, 0 to 1 and above when its capacity was lowered. */
  get load(): number {
    return loadOf(this.used, this.capacity);
  }

  /** What nobody has of it; below 0 where its capacity was lowered. */
  get room(): Resources {
    return take(this.capacity, this.used);
  }

  /** True while a task may be bound to it, as its queue saw it last. */
  get isReady(): boolean {
    return this.isOpen || this.readiness === 'busy';
  }

  /** True while it could be given a task, as its queue saw it last. */
  get isOpen(): boolean {
    return this.readiness === 'free' || this.readiness === 'ahead';
  }

  /** How fast it works; a view of itself, so that asking costs nothing. */
  get pace(): Pace {
    return this;
  }

  /** Why a task of this demand cannot be bound to it now; undefined when it can. */
  infeasible(demand: Resources, now: Instant): Infeasible | undefined {
    if (this.removed) return 'removed';
    if (this.draining) return 'draining';
    if (this.health !== 'online') return this.health;
    if (this.slots === 0) return 'no_replicas';
    if (!fits(demand, this.capacity)) return 'too_small';
    return this.circuit.withholds(this.backlog.held, now);
  }

  /** True when a slot (and whatever else the task needs) is free now. */
  hasRoom(demand: Resources): boolean {
    return fits(demand, this.room);
  }

  /**
   * True when one more task may be sent ahead of a free slot. An instance that never notified gets
   * one in any case, or its slot would idle until the next poll.
   */
  mayPrefetch(prefetch: number): boolean {
    const ahead = Math.max(prefetch, this.notifies ? 0 : 1);
    return this.backlog.heldCount < this.slots + ahead;
  }

  /** Takes in what occupies it now. */
  hold(held: Held, now: Instant): void {
    this.backlog.hold(held);
    this.headcount?.place(held.task.id, held.attempt.reservedAt);
    this.advance(now);
  }

  /** @returns false when that attempt was not held here */
  letGo({ attempt, task }: Held, now: Instant): boolean {
    if (!this.backlog.letGo(attempt)) return false;
    this.headcount?.letGo(task.id);
    this.advance(now);
    return true;
  }

  /** What can begin begins. What a worker has began when it was placed there. */
  advance(now: Instant): void {
    if (!this.headcount) this.backlog.advance(this.slots, now);
  }

  /** How it looks to a strategy that chooses. */
  asCandidate(now: Instant): Candidate {
    return new Prospect(this, now);
  }
}

/** An instance as a candidate: whatever is not read is not computed. */
class Prospect implements Candidate {
  private estimate: Estimate | undefined;

  constructor(
    private readonly instance: Instance,
    private readonly now: Instant,
  ) {}

  get instanceId(): InstanceId {
    return this.instance.id;
  }

  get speed(): number {
    return this.instance.speed;
  }

  get slots(): number {
    return this.instance.slots;
  }

  get occupied(): number {
    return this.instance.occupied;
  }

  get waiting(): number {
    return this.instance.waiting;
  }

  get load(): number {
    return this.instance.load;
  }

  get room(): Resources {
    return this.instance.room;
  }

  get wait(): Estimate {
    return (this.estimate ??= this.instance.backlog.wait(this.instance.pace, this.now));
  }
}
