import type { Infeasible, Instance } from './instance';
import type { Random } from './ports';
import type { Queue } from './queue';
import type { Resources } from './resources';
import { isRanked, type Candidate, type ChoosingStrategy, type RankedStrategy } from './strategy';
import type { Task } from './task';
import { isNonEmpty, type Instant } from './units';

/** A strategy looks at no more candidates than this; of a larger fleet it sees a random part. */
export const CANDIDATE_LIMIT = 1000;

/** What was decided for one waiting task. */
export type Placement =
  /** A slot is free (or work may be sent ahead): reserve it. */
  | { readonly kind: 'now'; readonly instance: Instance; readonly reason: string }
  /** The task is bound to this instance and waits for it. */
  | { readonly kind: 'bound'; readonly instance: Instance; readonly reason: string }
  /** Nothing can take it yet. */
  | { readonly kind: 'waiting' };

/** Decides where a task goes: feasible, then the strategy's choice. Changes nothing. */
export function decide(queue: Queue, task: Task, now: Instant, random: Random): Placement {
  if (queue.settings.paused) return { kind: 'waiting' };
  const late = queue.strategy.binding === 'late';
  if (late && !queue.hasOpen) return { kind: 'waiting' };
  const chosen = isRanked(queue.strategy)
    ? chooseRanked(queue, queue.strategy, task, late, now)
    : chooseAmong(queue, queue.strategy, task, late, now, random);
  if (!chosen) return { kind: 'waiting' };
  const isNow = late || (queue.isOpen(chosen.instance) && chosen.instance.line.size === 0);
  return { kind: isNow ? 'now' : 'bound', ...chosen };
}

/** Why an instance gets no new task. */
export type Unfit = Infeasible | 'paused';

/** Why an instance gets no task from its queue now; undefined when it may. A pause holds for all. */
export function unfitness(
  queue: Queue,
  instance: Instance,
  demand: Resources,
  now: Instant,
): Unfit | undefined {
  return instance.infeasible(demand, now) ?? (queue.settings.paused ? 'paused' : undefined);
}

/** How many instances of the queue get no task of that demand now, by reason. */
export function unfit(queue: Queue, demand: Resources, now: Instant): Record<string, number> {
  return counted(queue, (instance) => unfitness(queue, instance, demand, now));
}

/** Why an instance that gets new work does not get this task. */
export type Passed = 'backoff' | 'bound_elsewhere' | 'busy';

/** How many instances of the queue cannot take the task, which waits, now; by reason. */
export function reasons(queue: Queue, task: Task, now: Instant): Record<string, number> {
  const bound = queue.boundTo(task);
  const isAside = task.notBefore !== null && task.notBefore > now;
  const passed = (instance: Instance): Passed => {
    if (isAside) return 'backoff';
    return bound === undefined || bound === instance ? 'busy' : 'bound_elsewhere';
  };
  return counted(
    queue,
    (instance) => unfitness(queue, instance, task.demand, now) ?? passed(instance),
  );
}

function counted(
  queue: Queue,
  reasonOf: (instance: Instance) => string | undefined,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const instance of queue.instances.values()) {
    const reason = reasonOf(instance);
    if (reason !== undefined) counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}

interface Chosen {
  readonly instance: Instance;
  readonly reason: string;
}

function chooseRanked(
  queue: Queue,
  strategy: RankedStrategy,
  task: Task,
  late: boolean,
  now: Instant,
): Chosen | undefined {
  const other = (instance: Instance): boolean => instance.id !== task.avoid;
  const instance = late
    ? (queue.leastOpen(other) ?? queue.leastOpen())
    : leastRank(strategy, preferOther(feasible(queue, task, now), task));
  if (!instance) return undefined;
  const rank = strategy.rank(instance.standing);
  return { instance, reason: `${strategy.name}: first in rank (${rank.toFixed(3)})` };
}

function leastRank(strategy: RankedStrategy, instances: readonly Instance[]): Instance | undefined {
  let best: Instance | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const instance of instances) {
    const rank = strategy.rank(instance.standing);
    if (best && rank >= least) continue;
    best = instance;
    least = rank;
  }
  return best;
}

function chooseAmong(
  queue: Queue,
  strategy: ChoosingStrategy,
  task: Task,
  late: boolean,
  now: Instant,
  random: Random,
): Chosen | undefined {
  const able = preferOther(late ? queue.openInstances(now) : feasible(queue, task, now), task);
  const seen = able.length > CANDIDATE_LIMIT ? somePart(able, random) : able;
  const candidates: readonly Candidate[] = seen.map((instance) => instance.asCandidate(now));
  if (!isNonEmpty(candidates)) return undefined;
  const choice = strategy.choose(candidates, { prediction: task.prediction, random });
  const instance = queue.instances.get(choice.instanceId);
  if (!instance) {
    throw new Error(`strategy ${strategy.name} chose ${choice.instanceId}, which was not offered`);
  }
  return { instance, reason: choice.reason };
}

function feasible(queue: Queue, task: Task, now: Instant): Instance[] {
  const able: Instance[] = [];
  for (const instance of queue.instances.values()) {
    if (instance.infeasible(task.demand, now) === undefined) able.push(instance);
  }
  return able;
}

/** Leaves out the instance that lost the task last, unless it is the only one. */
function preferOther(instances: readonly Instance[], task: Task): readonly Instance[] {
  if (task.avoid === null || instances.length < 2) return instances;
  return instances.filter((instance) => instance.id !== task.avoid);
}

/** A run of `CANDIDATE_LIMIT` neighbours from a random place on. */
function somePart(instances: readonly Instance[], random: Random): readonly Instance[] {
  const from = Math.floor(random.next() * instances.length);
  const tail = instances.slice(from, from + CANDIDATE_LIMIT);
  return tail.concat(instances.slice(0, CANDIDATE_LIMIT - tail.length));
}
