import type { Estimate } from './distribution';
import { SchedulerError } from './errors';
import type { Random } from './ports';
import type { Resources } from './resources';
import type { Prediction } from './task';
import {
  isBatchKey,
  type InstanceId,
  type NonEmpty,
  type QueueKey,
  type StrategyName,
} from './units';

/** When a task is tied to an instance. */
export type Binding =
  /** Among instances with a free slot, at the moment when one is free. */
  | 'late'
  /** Among all that fit, at submission; the task then waits for that instance. */
  | 'early';

/** Counts of an instance that change only when something happens there. */
export interface Standing {
  /** Work per ms, 1 is the reference that predictions are made for. */
  readonly speed: number;
  readonly slots: number;
  /** Tasks that occupy it. */
  readonly occupied: number;
  /** Tasks that wait for it. */
  readonly waiting: number;
  /** Occupied share of the scarcest resource, 0 to 1. */
  readonly load: number;
  /** What nobody has of it; below 0 where its capacity was lowered. */
  readonly room: Resources;
}

/** An instance that can take the task, as a strategy sees it. */
export interface Candidate extends Standing {
  readonly instanceId: InstanceId;
  /** Wait before a task submitted now would start, in ms. */
  readonly wait: Estimate;
}

/** What else a choice may depend on. */
export interface PlacementContext {
  readonly prediction: Prediction;
  readonly random: Random;
}

/** Where to, and why in one line for people. */
export interface Choice {
  readonly instanceId: InstanceId;
  readonly reason: string;
  /** What it would have been without that one: kept for people to compare. Default: not said. */
  readonly runnerUp?: InstanceId | undefined;
}

interface StrategyBase {
  readonly name: StrategyName;
  readonly binding: Binding;
}

/**
 * Ranks by one number that depends on an instance's standing alone; the least wins. The core keeps
 * the order in an index, so a decision does not look at every instance.
 */
export interface RankedStrategy extends StrategyBase {
  rank(standing: Standing): number;
}

/**
 * Picks one of at most 1 000 instances that can take the task. Reads only: the same input and
 * random numbers give the same answer.
 */
export interface ChoosingStrategy extends StrategyBase {
  choose(candidates: NonEmpty<Candidate>, context: PlacementContext): Choice;
  /** Called after the reservation or binding held. The place to advance a cursor. */
  placed?(choice: Choice): void;
}

/** Decides where a task goes, among instances that can take it. One object serves one queue. */
export type PlacementStrategy = RankedStrategy | ChoosingStrategy;

/** True for a strategy that ranks, and so can be indexed. */
export function isRanked(strategy: PlacementStrategy): strategy is RankedStrategy {
  return 'rank' in strategy;
}

/** Makes a strategy for one queue. */
export type StrategyFactory = () => PlacementStrategy;

/** The strategies that may be chosen by name. */
export interface StrategyCatalog {
  has(name: string): boolean;
  names(): readonly StrategyName[];
  /** @throws {SchedulerError} unknown_strategy, with the valid names */
  create(name: StrategyName): PlacementStrategy;
}

/**
 * Makes a strategy for that queue, or for every queue.
 * @throws {SchedulerError} unknown_strategy, with the names that are valid there
 */
export function strategyFor(
  key: QueueKey | null,
  name: StrategyName,
  catalog: StrategyCatalog,
): PlacementStrategy {
  const strategy = catalog.create(name);
  if (key === null || !isBatchKey(key) || strategy.binding === 'late') return strategy;
  const allowed = catalog.names().filter((one) => catalog.create(one).binding === 'late');
  throw new SchedulerError(
    'unknown_strategy',
    `strategy ${JSON.stringify(name)} ties a task to an instance before that has room for it, and a ` +
      `job on hosts never is; valid: ${allowed.join(', ')}`,
    { allowed },
  );
}

/** The candidate with the least cost, that cost, and the one that follows it. */
export interface Least {
  readonly best: Candidate;
  readonly cost: number;
  readonly next: Candidate | undefined;
}

/**
 * The two candidates with the least cost, which is asked for once of each, in their order.
 * @param ties decide between equal costs, one after the other; after them whoever came first
 */
export function leastTwo(
  candidates: NonEmpty<Candidate>,
  cost: (candidate: Candidate) => number,
  ...ties: ((candidate: Candidate) => number)[]
): Least {
  let [best] = candidates;
  let bestCost = cost(best);
  let next: Candidate | undefined;
  let nextCost = Number.POSITIVE_INFINITY;
  for (let i = 1; i < candidates.length; i++) {
    const one = candidates[i];
    if (!one) continue;
    const itsCost = cost(one);
    if (itsCost < bestCost || (itsCost === bestCost && isLess(one, best, ties))) {
      next = best;
      nextCost = bestCost;
      best = one;
      bestCost = itsCost;
    } else if (!next || itsCost < nextCost || (itsCost === nextCost && isLess(one, next, ties))) {
      next = one;
      nextCost = itsCost;
    }
  }
  return { best, cost: bestCost, next };
}

function isLess(
  a: Candidate,
  b: Candidate,
  costs: readonly ((candidate: Candidate) => number)[],
): boolean {
  for (const cost of costs) {
    const difference = cost(a) - cost(b);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Injection token of the catalog, which is a type only. */
export const STRATEGY_CATALOG = Symbol('StrategyCatalog');
