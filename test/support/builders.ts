import type { Held } from '../../src/core/backlog';
import type { CircuitLimits } from '../../src/core/circuit';
import { QuantileDistribution } from '../../src/core/distribution';
import { Fleet, type FleetOptions } from '../../src/core/fleet';
import { Instance, NO_TRAITS, type InstanceDraft } from '../../src/core/instance';
import type { Ids } from '../../src/core/ports';
import { BATCH_QUEUE, queueKey } from '../../src/core/queue';
import type { QueueSettings } from '../../src/core/queue-settings';
import { ONE_SLOT, type Resources } from '../../src/core/resources';
import type { Candidate } from '../../src/core/strategy';
import {
  newTask,
  type Attempt,
  type Change,
  type Decision,
  type JobNeeds,
  type Prediction,
  type Task,
  type TaskDraft,
} from '../../src/core/task';
import { dispatchId, instanceId, instant, strategyName, taskId } from '../../src/core/units';
import { BUILT_IN, StrategyRegistry } from '../../src/strategies/strategy.registry';
import { FakeClock } from './fake-clock';
import { SeededRandom } from './seeded-random';

/** Ids that count, in the order of their text: `d-000001`, `d-000002`, … */
export class CountingIds implements Ids {
  private count = 0;

  constructor(private readonly prefix = 'd') {}

  next(): string {
    return `${this.prefix}-${String(++this.count).padStart(6, '0')}`;
  }
}

/** The queue that builders use unless they are told another. */
export const QUEUE = queueKey('model', 'm');

const serials = new CountingIds('x');

/** A prediction that is known exactly, in ms at speed 1. */
export function exactly(ms: number): Prediction {
  return { serviceTime: QuantileDistribution.point(ms), method: 'default' };
}

/** A prediction from its quartiles, in ms at speed 1. */
export function quartiles(low: number, middle: number, high: number): Prediction {
  const serviceTime = new QuantileDistribution(QUARTILES, [low, middle, high]);
  return { serviceTime, method: 'metadata' };
}

const QUARTILES: readonly number[] = [0.25, 0.5, 0.75];

/** A submission: one slot, 100 ms, three attempts of at most an hour. */
export function draftOf(overrides: Partial<TaskDraft> = {}): TaskDraft {
  return {
    id: taskId(serials.next()),
    kind: 'model',
    clientId: null,
    queue: QUEUE,
    priority: 0,
    submittedAt: instant(0),
    prediction: exactly(100),
    demand: ONE_SLOT,
    job: null,
    attemptTimeoutMs: 3_600_000,
    maxAttempts: 3,
    payloadBytes: 10,
    ...overrides,
  };
}

/** What a job needs beside resources: nothing, unless it is named. */
export function jobOf(overrides: Partial<JobNeeds> = {}): JobNeeds {
  return { labels: {}, tool: '', tokens: 0, retryLimit: 0, ...overrides };
}

/** One slot, and that many cores and GB of memory. */
export function demandOf(cpu: number, memoryGb = 0): Resources {
  return { ...ONE_SLOT, cpu, memoryGb };
}

/** A batch job: one slot and one core, an hour at most. */
export function jobDraftOf(overrides: Partial<TaskDraft> = {}): TaskDraft {
  return draftOf({
    kind: 'batch',
    queue: BATCH_QUEUE,
    demand: demandOf(1),
    job: jobOf(),
    ...overrides,
  });
}

/** A host that is online, with that many cores, as many slots, and GB of memory. */
export function hostDraftOf(
  id: string,
  cores: number,
  memoryGb = 2 * cores,
  labels: Readonly<Record<string, string>> = {},
): InstanceDraft {
  return instanceDraftOf(id, cores, {
    kind: 'host',
    queue: BATCH_QUEUE,
    host: id,
    port: 0,
    capacity: { ...ONE_SLOT, slots: cores, cpu: cores, memoryGb },
    traits: { ...NO_TRAITS, labels },
  });
}

/** A task that waits. */
export function taskOf(overrides: Partial<Task> = {}): Task {
  const draft = draftOf();
  return { ...newTask(draft, draft.queue), ...overrides };
}

/** A live attempt of the task, which is added to it; reserved at 0 and not running yet. */
export function heldOf(task: Task, overrides: Partial<Attempt> = {}): Held {
  const attempt: Attempt = {
    taskId: task.id,
    no: task.attemptNo + 1,
    dispatchId: dispatchId(serials.next()),
    instanceId: instanceId('i-1'),
    registration: 1,
    speed: 1,
    decision: null,
    reservedAt: instant(0),
    state: 'live',
    remoteId: null,
    sentAt: null,
    runningSince: null,
    endedAt: null,
    vacated: false,
    executionMs: null,
    ...overrides,
  };
  task.attemptNo = attempt.no;
  task.attempts = [...task.attempts, attempt];
  return { task, attempt };
}

/** A decision for the only candidate, which was idle. */
export function decisionOf(overrides: Partial<Decision> = {}): Decision {
  return {
    strategy: strategyName('earliest'),
    decidedAt: instant(0),
    candidates: 1,
    waitMs: 0,
    completionMs: 100,
    runnerUp: null,
    unfitBecause: {},
    ...overrides,
  };
}

/** A task instance that is online, notifies and has that many slots. */
export function instanceDraftOf(
  id: string,
  slots = 1,
  overrides: Partial<InstanceDraft> = {},
): InstanceDraft {
  return {
    id: instanceId(id),
    kind: 'task_instance',
    queue: QUEUE,
    host: `${id}.test`,
    port: 8000,
    name: id,
    protocol: 'submit',
    registration: 1,
    capacity: { ...ONE_SLOT, slots },
    notifies: true,
    drainAsked: false,
    health: 'online',
    lastContact: instant(0),
    registeredWallMs: 0,
    ...overrides,
  };
}

/** An instance that belongs to no fleet. */
export function instanceOf(
  id: string,
  slots = 1,
  overrides: Partial<InstanceDraft> = {},
): Instance {
  return new Instance(instanceDraftOf(id, slots, overrides), 0);
}

/** An idle instance as a strategy sees it, with a wait of these moments. */
export function candidateOf(
  id: string,
  { mean = 0, variance = 0, ...overrides }: CandidateFigures = {},
): Candidate {
  return {
    instanceId: instanceId(id),
    speed: 1,
    slots: 1,
    occupied: 0,
    waiting: 0,
    load: 0,
    room: ONE_SLOT,
    wait: { mean, variance, deviation: Math.sqrt(variance), sample: () => mean },
    ...overrides,
  };
}

type CandidateFigures = Partial<Candidate> & { readonly mean?: number; readonly variance?: number };

/** A fleet with everything that surrounds it. */
export interface FleetRig {
  readonly fleet: Fleet;
  readonly clock: FakeClock;
  readonly options: FleetOptions;
}

/** Opens after 3 faults for 5 s, doubling to 20 s; a quarantine is 60 s, doubling to 240 s. */
export const CIRCUIT: CircuitLimits = {
  faults: 3,
  pause: { firstMs: 5_000, mostMs: 20_000 },
  quarantine: { firstMs: 60_000, mostMs: 240_000 },
};

/** An empty fleet: `earliest`, first come first served, no prefetch, wide limits. */
export function fleetRig(overrides: Partial<Omit<FleetOptions, 'clock'>> = {}): FleetRig {
  const clock = new FakeClock();
  const options: FleetOptions = {
    clock,
    random: new SeededRandom(),
    ids: new CountingIds(),
    strategies: new StrategyRegistry(BUILT_IN),
    limits: { liveTasks: 1000, livePayloadBytes: 1_000_000 },
    lossBackoff: { firstMs: 1_000, mostMs: 60_000 },
    refusalBackoff: { firstMs: 100, mostMs: 5_000 },
    circuit: CIRCUIT,
    notice: () => undefined,
    defaults: settingsOf('earliest'),
    batch: { strategy: strategyName('least_loaded'), assumedLimitMs: 24 * 3_600_000 },
    placements: { suspectMs: 10_000, landingMs: 3_000, retentionMs: 3_600_000, most: 1000 },
    ...overrides,
  };
  return { fleet: new Fleet(options), clock, options };
}

/** Settings of a queue: first come first served, no prefetch, a wide limit. */
export function settingsOf(
  strategy: string,
  overrides: Partial<QueueSettings> = {},
): QueueSettings {
  return {
    strategy: strategyName(strategy),
    orderG: 0,
    prefetch: 0,
    limit: 1000,
    attemptTimeoutMs: 3_600_000,
    paused: false,
    ...overrides,
  };
}

/** A fleet with that strategy and one instance per number, of that many slots: `i-1`, `i-2`, … */
export function rigWith(
  slots: readonly number[],
  defaults: QueueSettings = settingsOf('earliest'),
): FleetRig & { readonly instances: readonly Instance[] } {
  const rig = fleetRig({ defaults });
  const instances = slots.map((count, i) =>
    rig.fleet.addInstance(instanceDraftOf(`i-${i + 1}`, count)),
  );
  return { ...rig, instances };
}

/** The fleet's task of a submission that must have been accepted, and the changes. */
export function submitted(
  fleet: Fleet,
  draft: TaskDraft,
): { readonly task: Task; readonly changes: readonly Change[] } {
  const submission = fleet.submit(draft);
  if (submission.kind !== 'accepted') throw new Error(`not accepted: ${submission.kind}`);
  return submission;
}

/** The newest attempt of the task, which must be known to the fleet. */
export function newestHeld(fleet: Fleet, task: Task): Held {
  const attempt = task.attempts.at(-1);
  const held = attempt && fleet.held(attempt);
  if (!held) throw new Error(`task ${task.id} has no attempt in the fleet`);
  return held;
}

/** Places everything that can be placed now; the number of reservations. */
export function placeAll(fleet: Fleet): number {
  return fleet.placeWaiting(1_000).changes.length;
}

/** Where a task is, for people: its state and the instance it is at or planned on. */
export function placeOf({ state, plannedOn, attempts }: Task): string {
  return `${state} ${plannedOn ?? attempts.at(-1)?.instanceId ?? 'nowhere'}`;
}
