import { QuantileDistribution } from '../../src/core/distribution';
import { Fleet, type FleetOptions } from '../../src/core/fleet';
import type { Instance, InstanceDraft } from '../../src/core/instance';
import type { SettingsChange } from '../../src/core/queue-settings';
import { isTerminal, type Attempt, type Prediction, type Task } from '../../src/core/task';
import type { QueueKey } from '../../src/core/units';

/** Relative error that sums in another order may have. */
const DIGITS = 9;

interface PredictionRow {
  readonly levels: readonly number[];
  readonly values: readonly number[];
  readonly method: string;
}

/**
 * Makes the fleet anew from a copy of its rows, as after a crash: live tasks, ended tasks that
 * still have an abandoned attempt, instances and settings.
 */
export function restoreFleet(
  fleet: Fleet,
  options: FleetOptions,
  settings: readonly (readonly [QueueKey | null, SettingsChange])[],
): Fleet {
  const restored = new Fleet(options);
  for (const [key, chosen] of settings) restored.configure(key, chosen);
  for (const { name, tokens } of fleet.licences.all()) restored.licences.set(name, tokens);
  const instances = [...fleet.instances.values()];
  for (const instance of instances) restoreInstance(restored, instance, options);
  for (const task of tasksInOrder(fleet)) restored.restore(throughText(task));
  for (const { id, removed } of instances) {
    const instance = restored.instances.get(id);
    if (removed && instance) restored.removeInstance(instance);
  }
  return restored;
}

/** What must be the same before and after, as text. */
export function snapshotOf(fleet: Fleet): string {
  const live = [...fleet.tasks.values()].filter(({ state }) => !isTerminal(state));
  const tasks = live.map((task) => ({
    ...task,
    prediction: rowOf(task.prediction),
    plannedOn: 'may differ',
    decision: 'may differ',
    attempts: task.attempts.filter(({ state }) => state !== 'ended'),
  }));
  const instances = [...fleet.instances.values()].map((instance) => ({
    id: instance.id,
    queue: instance.queue,
    traits: instance.traits,
    removed: instance.removed,
    held: [...instance.backlog.held].map(({ attempt }) => attempt),
    used: instance.backlog.used,
  }));
  const queues = [...fleet.queues.values()]
    .filter(({ instances: members, waiting }) => members.size > 0 || waiting > 0)
    .map(({ key, waiting, settings, strategy, instances: members }) => ({
      key,
      waiting,
      settings,
      strategy: strategy.name,
      members: [...members.keys()].sort(),
      planned: plannedWork([...members.values()]),
    }));
  const payload = tasks.reduce((sum, { payloadBytes }) => sum + payloadBytes, 0);
  const licences = fleet.licences.all();
  const everything = [byId(tasks), byId(instances), queues.sort(byKey), payload, licences];
  return JSON.stringify(everything, null, 1);
}

function plannedWork(instances: readonly Instance[]): string {
  const sum = instances.reduce((total, one) => total + one.backlog.plannedMoments.mean, 0);
  return sum.toPrecision(DIGITS);
}

function restoreInstance(fleet: Fleet, instance: Instance, { clock }: FleetOptions): void {
  const { provesAbsence, drainsItself, circuit } = instance;
  const foreignMs = instance.backlog.foreignMs(clock.now());
  const draft: InstanceDraft = {
    id: instance.id,
    kind: instance.kind,
    queue: instance.queue,
    host: instance.host,
    port: instance.port,
    name: instance.name,
    protocol: instance.protocol,
    registration: instance.registration,
    capacity: instance.capacity,
    notifies: instance.notifies,
    drainAsked: instance.drainAsked,
    health: instance.health,
    lastContact: instance.lastContact,
    registeredWallMs: instance.registeredWallMs,
    speed: instance.learnedSpeed,
    traits: instance.traits,
  };
  const restored = fleet.addInstance(draft);
  fleet.updateInstance(restored, { provesAbsence, drainsItself, foreignMs });
  fleet.circuits.rest(restored, circuit.restsUntil - clock.now());
}

/** What rows hold, in the order in which attempts were reserved: a worker's queue is a FIFO. */
function tasksInOrder(fleet: Fleet): Task[] {
  const live = [...fleet.tasks.values()].filter(({ state }) => !isTerminal(state));
  const withAbandoned = [...fleet.attempts.all()]
    .filter(({ attempt, task }) => attempt.state === 'abandoned' && isTerminal(task.state))
    .map(({ task }) => task);
  const reserved = (task: Task): number => {
    const occupying = task.attempts.find(isOccupying);
    return Number(occupying?.dispatchId.split('-')[1] ?? 0);
  };
  return [...new Set([...live, ...withAbandoned])].sort((a, b) => reserved(a) - reserved(b));
}

function isOccupying({ state }: Attempt): boolean {
  return state === 'live' || state === 'abandoned';
}

/** A copy that shares nothing with the task, and is neither planned nor bound: rows do not know it. */
function throughText(task: Task): Task {
  const row = rowOf(task.prediction);
  const attempts = task.attempts.filter(({ state }) => state !== 'ended');
  const copy = JSON.parse(JSON.stringify({ ...task, attempts })) as Task;
  // JSON has no infinity, the table has.
  const { attemptTimeoutMs } = task;
  const prediction = predictionOf(row);
  return Object.assign(copy, { plannedOn: null, decision: null, prediction, attemptTimeoutMs });
}

function rowOf({ serviceTime, method }: Prediction): PredictionRow {
  if (!(serviceTime instanceof QuantileDistribution)) throw new Error('a distribution of its own');
  return { ...serviceTime.quantiles, method };
}

function predictionOf({ levels, values, method }: PredictionRow): Prediction {
  return { serviceTime: new QuantileDistribution(levels, values), method };
}

function byId<T extends { readonly id: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return a.key < b.key ? -1 : 1;
}
