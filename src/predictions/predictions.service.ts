import { Inject, Injectable } from '@nestjs/common';
import type { Prediction } from '../core/task';
import { PredictionModeService, type PredictionMode } from './prediction-mode.service';
import type { PredictionQuery, PredictionSource } from './prediction-source';
import { LearnedSource } from './sources/learned.source';

/** Where predictions come from, in the order in which they are believed. */
export interface PredictionChain {
  /** The task's own word. */
  readonly own: PredictionSource;
  /** What is known here, by mode: best first. */
  readonly known: Readonly<Record<PredictionMode, readonly PredictionSource[]>>;
  /** Answers everything, at once. */
  readonly fallback: PredictionSource;
}

/** Token of the chain. */
export const PREDICTION_CHAIN = Symbol('PredictionChain');

/** Models whose predictions are counted: a name costs nothing to whoever sends it. */
const MOST_COUNTED = 10_000;

/** Says how long a task will run, and who said so. */
@Injectable()
export class PredictionsService {
  private readonly counts = new Map<string, number>();

  constructor(
    @Inject(PREDICTION_CHAIN) private readonly chain: PredictionChain,
    @Inject(PredictionModeService) private readonly modes: Pick<PredictionModeService, 'current'>,
    @Inject(LearnedSource) private readonly learned: Pick<LearnedSource, 'expect'>,
  ) {}

  /**
   * The first source that answers, for a task that is about to be taken. A promise only when another
   * service has to be asked.
   */
  predict(query: PredictionQuery): Prediction | Promise<Prediction> {
    this.count(query.model);
    const prediction = this.preview(query);
    return prediction instanceof Promise
      ? prediction.then((later) => this.expected(later, query))
      : this.expected(prediction, query);
  }

  /** What `predict` would answer now. Counts for nothing. */
  preview(query: PredictionQuery): Prediction | Promise<Prediction> {
    const { own, fallback } = this.chain;
    const prediction = firstOf([own, ...this.sources, fallback], query);
    return prediction instanceof Promise ? prediction.then(answered) : answered(prediction);
  }

  /**
   * What is known of the model by anyone but the client: neither its own prediction nor the default
   * counts.
   */
  async known(query: PredictionQuery): Promise<Prediction | undefined> {
    const prediction = await firstOf(this.sources, query);
    if (prediction) this.count(query.model);
    return prediction;
  }

  /** Predictions for this model since this process began to lead. */
  countOf(model: string): number {
    return this.counts.get(model) ?? 0;
  }

  private get sources(): readonly PredictionSource[] {
    return this.chain.known[this.modes.current];
  }

  private expected(prediction: Prediction, query: PredictionQuery): Prediction {
    this.learned.expect(prediction, query);
    return prediction;
  }

  private count(model: string): void {
    const count = this.counts.get(model);
    if (count === undefined && this.counts.size >= MOST_COUNTED) return;
    this.counts.set(model, (count ?? 0) + 1);
  }
}

function firstOf(
  [source, ...others]: readonly PredictionSource[],
  query: PredictionQuery,
): Prediction | undefined | Promise<Prediction | undefined> {
  if (source === undefined) return undefined;
  const serviceTime = source.predict(query);
  if (serviceTime instanceof Promise) {
    return serviceTime.then((later) =>
      later ? { serviceTime: later, method: source.method } : firstOf(others, query),
    );
  }
  return serviceTime ? { serviceTime, method: source.method } : firstOf(others, query);
}

function answered(prediction: Prediction | undefined): Prediction {
  if (prediction === undefined) {
    throw new Error('the last prediction source must answer everything');
  }
  return prediction;
}
