import { serviceNoise, tokenServiceMs } from '../ops/token-service';
import { SeededRandom } from '../ops/seeded-random';
import { ClairvoyantStrategy } from './clairvoyant.strategy';
import { figuresOf, ratioOf, type Figures, type Ratio } from './figures';
import type { SimulatedInstance } from './fleets';
import { OraclePredictor, type PredictorFactory } from './predictors';
import { Simulation, type SimulatedRun, type SimulatedStrategy } from './simulation';
import type { SimulationOptions } from './simulation';
import type { TraceRow } from './traces/llm-trace';
import { stretchedToLoad, type SimulatedTask } from './workload';

/** How tasks are placed: a strategy, the order of its waiting line, and what it is told of them. */
export interface Policy {
  readonly strategy: () => SimulatedStrategy;
  readonly orderG: number;
  readonly predictor: PredictorFactory;
}

/** Conditions under which policies are compared. */
export interface Conditions {
  readonly fleet: readonly SimulatedInstance[];
  /** Offered load, a share of the fleet's capacity. */
  readonly load: number;
  /** Seed of the service times, and of whatever a strategy draws. */
  readonly seed: number;
}

/** One policy under those conditions. */
export interface Comparison extends Figures {
  readonly ratio: Ratio;
}

/** What else is wanted of a run. */
export type PlayOptions = Pick<SimulationOptions, 'onProgress' | 'tellEvery'>;

/**
 * The tasks of a trace that has no run times: the token formula with seeded log-normal noise
 * (SCHEDULING, section 2).
 */
export function tasksOf(rows: readonly TraceRow[], seed: number): readonly SimulatedTask[] {
  return rows.map((row, index) => ({
    index,
    arrivalMs: row.arrivalSeconds * 1000,
    model: row.model,
    metadata: { input_tokens: row.inputTokens, output_tokens: row.outputTokens },
    serviceMs:
      tokenServiceMs(row.inputTokens, row.outputTokens) * serviceNoise(`${seed}/${row.row}`),
  }));
}

/**
 * Compares policies with clairvoyant least-work-left, first come first served, on the same tasks.
 * @param tasks in the order of arrival; they are stretched to the load
 */
export class Laboratory {
  private readonly tasks: readonly SimulatedTask[];
  private readonly reference: Figures;

  constructor(
    tasks: readonly SimulatedTask[],
    private readonly conditions: Conditions,
  ) {
    this.tasks = stretchedToLoad(tasks, conditions.fleet, conditions.load);
    const strategy = (): SimulatedStrategy => new ClairvoyantStrategy();
    this.reference = this.figures({ strategy, orderG: 0, predictor: () => new OraclePredictor() });
  }

  /** @param onProgress told now and then how many tasks have ended */
  compare(policy: Policy, onProgress?: (ended: number) => void): Comparison {
    const figures = this.figures(policy, onProgress);
    return { ...figures, ratio: ratioOf(figures, this.reference) };
  }

  private figures(policy: Policy, onProgress?: (ended: number) => void): Figures {
    return figuresOf(this.play(policy, onProgress && { onProgress }), this.conditions.fleet);
  }

  /** What became of each task under that policy. */
  play(policy: Policy, options: PlayOptions = {}): readonly SimulatedRun[] {
    const { fleet, seed } = this.conditions;
    return Simulation.run({
      tasks: this.tasks,
      fleet,
      strategy: policy.strategy(),
      orderG: policy.orderG,
      predictor: policy.predictor(),
      random: new SeededRandom(seed),
      ...options,
    });
  }
}
