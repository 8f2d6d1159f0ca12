import { InputError } from '../config/input-error';
import { SchedulerError } from '../core/errors';
import type { PlacementStrategy, StrategyCatalog, StrategyFactory } from '../core/strategy';
import { strategyName, type StrategyName } from '../core/units';
import { BestFitStrategy } from './best-fit.strategy';
import { EarliestStrategy } from './earliest.strategy';
import { LeastLoadedStrategy } from './least-loaded.strategy';
import { ProbabilisticStrategy } from './probabilistic.strategy';
import { RoundRobinStrategy } from './round-robin.strategy';
import { ShortestQueueStrategy } from './shortest-queue.strategy';
import { WeightedStrategy } from './weighted.strategy';

/** The strategies that come with the scheduler. */
export const BUILT_IN: readonly StrategyFactory[] = [
  () => new EarliestStrategy(),
  () => new ShortestQueueStrategy(),
  () => new RoundRobinStrategy(),
  () => new WeightedStrategy(),
  () => new ProbabilisticStrategy(),
  () => new LeastLoadedStrategy(),
  () => new BestFitStrategy(),
];

/** Strategies by name; each queue gets an object of its own. */
export class StrategyRegistry implements StrategyCatalog {
  private readonly factories = new Map<string, StrategyFactory>();

  /** @throws {InputError} when two strategies go by one name */
  constructor(factories: readonly StrategyFactory[]) {
    for (const factory of factories) {
      const { name } = factory();
      if (this.factories.has(name)) throw new InputError(`two strategies are named ${name}`);
      this.factories.set(name, factory);
    }
  }

  has(name: string): boolean {
    return this.factories.has(name);
  }

  names(): readonly StrategyName[] {
    return [...this.factories.keys()].map(strategyName);
  }

  create(name: StrategyName): PlacementStrategy {
    const factory = this.factories.get(name);
    if (factory) return factory();
    const allowed = this.names();
    throw new SchedulerError(
      'unknown_strategy',
      `unknown strategy ${JSON.stringify(name)}; valid: ${allowed.join(', ')}`,
      { allowed },
    );
  }
}
