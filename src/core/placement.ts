import type { Instance, Unfit } from './instance';
import type { Random } from './ports';
import type { Queue } from './queue';
import type { Resources } from './resources';
import {
  isRanked,
  type Binding,
  type Candidate,
  type ChoosingStrategy,
  type RankedStrategy,
} from './strategy';
import type { Decision, Expectation, Task } from './task';
import { isNonEmpty, type Instant } from './units';

/** A strategy looks at no more candidates than this; of a larger fleet it sees a random part. */
export const CANDIDATE_LIMIT = 1000;

/** Where a task goes, why in one line for people, and by what it was decided. */
export interface Destination {
  readonly instance: Instance;
  readonly reason: string;
  readonly decision: Decision | null;
}

/** What was decided for one waiting task. */
export type Placement =
  | (Destination & {
      /** `now`: a slot is free (or work may be sent ahead), reserve it; `bound`: wait for it. */
      readonly kind: 'now' | 'bound';
      readonly decision: Decision;
    })
  /** Nothing can take it yet. */
  | { readonly kind: 'waiting' };

/** Decides where a task goes: feasible, then the strategy's choice. Changes nothing. */
export function decide(queue: Queue, task: Task, now: Instant, random: Random): Placement {
  const { strategy, census } = queue;
  const isLate = strategy.binding === 'late';
  if ((isLate ? census.open : census.fit) === 0) return { kind: 'waiting' };
  const chosen = isRanked(strategy)
    ? chooseRanked(queue, strategy, task)
    : chooseAmong(queue, strategy, fittingFor(queue, task), task, now, random);
  if (!chosen) return { kind: 'waiting' };
  const { instance, reason } = chosen;
  const isNow = isLate || (instance.isOpen && instance.line.size === 0);
  const decision = recordOf(queue, task, chosen, now);
  return { kind: isNow ? 'now' : 'bound', instance, reason, decision };
}

/**
 * True when an instance that is on trial would be tried with the last attempt of a task that it has
 * lost already, while others serve the queue: one bad instance must not use up all attempts.
 */
export function isVainTrial(
  { census }: Queue,
  { attempts, maxAttempts }: Task,
  { id, circuit }: Instance,
): boolean {
  // Of the task first: it is asked of every instance, and most tasks have lost nothing.
  if (attempts.length === 0 || circuit.isClosed || census.fit < 2) return false;
  const lost = attempts.filter(({ state }) => state === 'lost');
  return lost.length >= maxAttempts - 1 && lost.some(({ instanceId }) => instanceId === id);
}

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

/** Who gets a task, and who would have got it otherwise. */
export interface Chosen {
  readonly instance: Instance;
  readonly reason: string;
  readonly runnerUp: Instance | undefined;
}

function chooseRanked(queue: Queue, strategy: RankedStrategy, task: Task): Chosen | undefined {
  const fits = (one: Instance): boolean => !isVainTrial(queue, task, one);
  const others = queue.best((one) => one.id !== task.avoid && fits(one));
  const [instance, second] = others.length > 0 ? others : queue.best(fits);
  if (!instance) return undefined;
  const reason = `${strategy.name}: first in rank (${strategy.rank(instance).toFixed(3)})`;
  return {
    instance,
    reason,
    runnerUp: second && isRival(queue, instance, second) ? second : undefined,
  };
}

/** By late binding who is less ready than the chosen one was not to be chosen. */
function isRival(queue: Queue, chosen: Instance, other: Instance): boolean {
  return queue.strategy.binding === 'early' || other.readiness === chosen.readiness;
}

/** Who of these gets the task, by the queue's strategy; undefined when nobody is there. */
export function chooseOf(
  queue: Queue,
  fitting: readonly Instance[],
  task: Task,
  now: Instant,
  random: Random,
): Chosen | undefined {
  const { strategy } = queue;
  if (!isRanked(strategy)) return chooseAmong(queue, strategy, fitting, task, now, random);
  const [first, ...others] = preferOther(fitting, task);
  if (!first) return undefined;
  let best = { instance: first, rank: strategy.rank(first) };
  let second: typeof best | undefined;
  for (const instance of others) {
    const one = { instance, rank: strategy.rank(instance) };
    if (one.rank < best.rank) [best, second] = [one, best];
    else if (!second || one.rank < second.rank) second = one;
  }
  const reason = `${strategy.name}: first in rank (${best.rank.toFixed(3)})`;
  return { instance: best.instance, reason, runnerUp: second?.instance };
}

function fittingFor(queue: Queue, task: Task): readonly Instance[] {
  return queue.candidates().filter((one) => !isVainTrial(queue, task, one));
}

function chooseAmong(
  queue: Queue,
  strategy: ChoosingStrategy,
  fitting: readonly Instance[],
  task: Task,
  now: Instant,
  random: Random,
): Chosen | undefined {
  const able = preferOther(fitting, task);
  const seen = able.length > CANDIDATE_LIMIT ? somePart(able, random) : able;
  const candidates: readonly Candidate[] = seen.map((instance) => instance.asCandidate(now));
  if (!isNonEmpty(candidates)) return undefined;
  const choice = strategy.choose(candidates, { prediction: task.prediction, random });
  const instance = queue.instances.get(choice.instanceId);
  if (!instance) {
    throw new Error(`strategy ${strategy.name} chose ${choice.instanceId}, which was not offered`);
  }
  const { reason, runnerUp } = choice;
  return { instance, reason, runnerUp: runnerUp && queue.instances.get(runnerUp) };
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

/** The record of a choice, from the figures as they are now. */
function recordOf(
  queue: Queue,
  task: Task,
  { instance, runnerUp }: Chosen,
  now: Instant,
): Decision {
  const { binding, name } = queue.strategy;
  const expected = (at: Instance): Expectation => expectationAt(at, task, binding, now);
  return {
    strategy: name,
    decidedAt: now,
    ...countsOf(queue, task, instance),
    ...expected(instance),
    runnerUp: runnerUp ? { instanceId: runnerUp.id, ...expected(runnerUp) } : null,
  };
}

/** By late binding it is the task's turn, by early binding it comes behind what waits there. */
function expectationAt(
  { backlog, pace }: Instance,
  { prediction }: Task,
  binding: Binding,
  now: Instant,
): Expectation {
  const waitMs = binding === 'late' ? backlog.turnMs(pace, now) : backlog.wait(pace, now).mean;
  const completionMs = waitMs + prediction.serviceTime.mean / pace.speed;
  return { waitMs, completionMs };
}

/** How many could have been chosen, and why not the others; from the census, without a look at them. */
function countsOf(
  { census, instances, strategy }: Queue,
  { avoid }: Task,
  chosen: Instance,
): Pick<Decision, 'candidates' | 'unfitBecause'> {
  const isLate = strategy.binding === 'late';
  const unfitBecause = census.unfit();
  let candidates = isLate && chosen.readiness ? census.of(chosen.readiness) : census.fit;
  let busy = census.fit - candidates;
  const avoided = avoid === null || avoid === chosen.id ? undefined : instances.get(avoid);
  if (avoided && (isLate ? isAsReady(avoided, chosen) : avoided.isReady)) {
    unfitBecause['avoided'] = 1;
    if (!isLate || avoided.readiness === chosen.readiness) candidates--;
    else busy--;
  }
  if (busy > 0) unfitBecause['busy'] = busy;
  return { candidates, unfitBecause };
}

function isAsReady(one: Instance, chosen: Instance): boolean {
  return one.readiness === 'free' || one.readiness === chosen.readiness;
}
