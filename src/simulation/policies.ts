import { BUILT_IN } from '../strategies/strategy.registry';
import { ClairvoyantStrategy } from './clairvoyant.strategy';
import { JsqStrategy } from './jsq.strategy';
import { OriginalStrategy } from './original.strategy';
import { RandomStrategy } from './random.strategy';
import type { SimulatedStrategy } from './simulation';

/** Makes a strategy for one run. */
export type StrategyMaker = () => SimulatedStrategy;

/** What only the simulator knows: too simple, or too clever, to place real tasks by. */
const BASELINES: readonly StrategyMaker[] = [
  () => new RandomStrategy(),
  () => new JsqStrategy(),
  () => new OriginalStrategy(),
  () => new ClairvoyantStrategy(),
];

/** Every strategy that can be simulated, by name: those of the scheduler, and the baselines. */
export const SIMULATED_STRATEGIES: ReadonlyMap<string, StrategyMaker> = new Map(
  [...BUILT_IN, ...BASELINES].map((make) => [make().name, make]),
);
