import { QuantileDistribution, type Distribution } from '../core/distribution';
import { SeededRandom } from '../ops/seeded-random';
import { OwnerHistory } from '../predictions/owner-history.predictor';
import type { StrategyFactory } from '../core/strategy';
import { BestFitStrategy } from '../strategies/best-fit.strategy';
import { BUILT_IN } from '../strategies/strategy.registry';
import { batchFiguresOf, type BatchFigures } from './batch-figures';
import { figuresOver, quotient, type Figures } from './figures';
import type { SimulatedInstance } from './fleets';
import { OraclePredictor, type PredictorFactory } from './predictors';
import type { Policy } from './simulate';
import { Simulation, type SimulatedPredictor, type SimulatedRun } from './simulation';
import type { SimulatedTask } from './workload';

/** As long as a job whose owner set no limit is taken to run. */
const ASSUMED_LIMIT_MS = 24 * 3_600_000;

/** Believes that every job takes all the time that its owner asked for. */
export class LimitPredictor implements SimulatedPredictor {
  predict(task: SimulatedTask): Distribution {
    return QuantileDistribution.point(limitOf(task));
  }
}

/** As the scheduler does: by the last jobs of the owner and the limit. */
export class OwnerPredictor implements SimulatedPredictor {
  private readonly history = new OwnerHistory();

  predict(task: SimulatedTask): Distribution {
    const limitMs = task.job?.limitMs ?? Infinity;
    const known = this.history.predict(task.job?.owner ?? '', limitMs);
    return QuantileDistribution.point(known ?? limitOf(task));
  }

  learn({ job, serviceMs }: SimulatedTask): void {
    this.history.learn(job?.owner ?? '', job?.limitMs ?? Infinity, serviceMs);
  }
}

function limitOf({ job }: SimulatedTask): number {
  const limitMs = job?.limitMs ?? Infinity;
  return Number.isFinite(limitMs) ? limitMs : ASSUMED_LIMIT_MS;
}

/** Predictors of batch jobs that go by a name. */
export const BATCH_PREDICTORS: ReadonlyMap<string, PredictorFactory> = new Map<
  string,
  PredictorFactory
>([
  ['owner', () => new OwnerPredictor()],
  ['limit', () => new LimitPredictor()],
  ['oracle', () => new OraclePredictor()],
]);

/** Strategies of batch jobs, by name: those that bind late. */
export const BATCH_STRATEGIES: ReadonlyMap<string, StrategyFactory> = new Map(
  BUILT_IN.filter((make) => make().binding === 'late').map((make) => [make().name, make]),
);

/** What a policy for batch jobs came to. */
export interface BatchComparison extends Figures, BatchFigures {
  /** Work of the jobs over what the cluster can do between the first and the last submission. */
  readonly load: number;
  /** To EASY backfill by limits, best fit, first come first served, on the same jobs. */
  readonly ratio: {
    readonly waitMean: number | null;
    readonly boundedSlowdown: number | null;
    readonly widest5: number | null;
  };
  /** Utilisation less that of the same reference. */
  readonly utilisationGain: number;
}

/** Compares policies for batch jobs with the one that is used most, on the same jobs. */
export class BatchLaboratory {
  private readonly reference: Figures & BatchFigures;
  private readonly load: number;
  private readonly cores: number;

  /** @param tasks in the order of arrival */
  constructor(
    private readonly tasks: readonly SimulatedTask[],
    private readonly cluster: readonly SimulatedInstance[],
    private readonly seed: number,
  ) {
    this.cores = cluster.reduce((sum, { host }) => sum + (host?.capacity.cpu ?? 0), 0);
    const span = (tasks.at(-1)?.arrivalMs ?? 0) - (tasks[0]?.arrivalMs ?? 0);
    const work = tasks.reduce((sum, task) => sum + widthOf(task) * task.serviceMs, 0);
    this.load = span > 0 ? work / (span * this.cores) : 0;
    const strategy = (): BestFitStrategy => new BestFitStrategy();
    this.reference = this.figures({ strategy, orderG: 0, predictor: () => new LimitPredictor() });
  }

  /** @param onProgress told now and then how many jobs have ended */
  compare(policy: Policy, onProgress?: (ended: number) => void): BatchComparison {
    const figures = this.figures(policy, onProgress);
    const { reference, load } = this;
    return {
      ...figures,
      load,
      ratio: {
        waitMean: quotient(figures.wait.mean, reference.wait.mean),
        boundedSlowdown: quotient(figures.boundedSlowdown.mean, reference.boundedSlowdown.mean),
        widest5: quotient(figures.widest5.waitMean, reference.widest5.waitMean),
      },
      utilisationGain: figures.utilisation - reference.utilisation,
    };
  }

  private figures(policy: Policy, onProgress?: (ended: number) => void): Figures & BatchFigures {
    const { tasks, cluster, seed } = this;
    const runs = Simulation.run({
      tasks,
      fleet: cluster,
      strategy: policy.strategy(),
      orderG: policy.orderG,
      predictor: policy.predictor(),
      random: new SeededRandom(seed),
      ...(onProgress && { onProgress }),
    });
    const figures = figuresOver(runs, this.cores, ({ task }) => widthOf(task));
    return { ...figures, ...batchFiguresOf(runs.map(batchRunOf)) };
  }
}

function batchRunOf({ task, startMs, endMs }: SimulatedRun) {
  return {
    waitSeconds: (startMs - task.arrivalMs) / 1_000,
    runSeconds: (endMs - startMs) / 1_000,
    width: widthOf(task),
  };
}

function widthOf({ job }: SimulatedTask): number {
  return job?.demand.cpu ?? 0;
}
