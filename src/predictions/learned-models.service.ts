import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import {
  LearnedModelsRepository,
  type LearnedModel,
} from '../persistence/learned-models.repository';
import { LearnedPredictor } from './learned.predictor';
import type { Features } from './online.predictor';
import { DamagedStateError } from './state-reader.predictor';

/** How often what was learned is written down, in ms. What comes between is learned from history. */
const SAVE_MS = 30_000;

/** What is learned of each model, through restarts. */
@Injectable()
export class LearnedModels {
  private readonly logger = new Logger(LearnedModels.name);
  /** Models of which something was learned that is not written yet. */
  private changed = new Set<string>();
  /** Up to which end each model was learned when its state was written. */
  private readonly known = new Map<string, number>();
  /** Every end up to here was learned, in Unix ms. */
  private learnedUntilMs = 0;
  private saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly predictor: LearnedPredictor,
    private readonly repository: LearnedModelsRepository,
  ) {}

  /**
   * Takes up what earlier terms have learned. A state that cannot be read is as none.
   * @returns the end, in Unix ms, after which everything is still to be learned; 0: nothing is known
   *   of one model at least
   */
  async restore(): Promise<number> {
    let savedLast = 0;
    let since = 0;
    let isWhole = true;
    for await (const page of this.repository.all()) {
      for (const stored of page) {
        isWhole = this.restoreOne(stored) && isWhole;
        const { savedAtMs, learnedUntilMs } = stored;
        // What was not among those that were written last had nothing new then.
        if (savedAtMs > savedLast) since = learnedUntilMs;
        else if (savedAtMs === savedLast) since = Math.min(since, learnedUntilMs);
        savedLast = Math.max(savedLast, savedAtMs);
      }
    }
    this.learnedUntilMs = since;
    return isWhole ? since : 0;
  }

  /** True when that end of a task is part of what was restored. */
  knows(model: string, finishedMs: number): boolean {
    return finishedMs <= (this.known.get(model) ?? 0);
  }

  /**
   * Called in the order of the ends.
   * @param serviceMs what the task took at speed 1
   * @param finishedMs when it ended, in Unix ms
   */
  learn(features: Features, serviceMs: number, finishedMs: number): void {
    this.predictor.learn(features, serviceMs);
    this.changed.add(features.model);
    this.learnedUntilMs = Math.max(this.learnedUntilMs, finishedMs);
  }

  /** Writes down what has changed. Never rejects: what is not written is tried again next time. */
  @Interval(SAVE_MS)
  save(): Promise<void> {
    this.saving = this.saving.then(() => this.saveChanged());
    return this.saving;
  }

  private restoreOne({ model, state, learnedUntilMs }: LearnedModel): boolean {
    try {
      this.predictor.restore(model, state);
    } catch (error) {
      if (!(error instanceof DamagedStateError)) throw error;
      const msg = `what was learned of model ${JSON.stringify(model)} cannot be read (${error.message}); it is learned again from history`;
      this.logger.warn({ msg });
      return false;
    }
    this.known.set(model, learnedUntilMs);
    return true;
  }

  private async saveChanged(): Promise<void> {
    const { changed } = this;
    if (changed.size === 0) return;
    this.changed = new Set();
    try {
      await this.repository.save(this.statesOf(changed));
    } catch (error) {
      for (const model of changed) this.changed.add(model);
      this.logger.warn({ msg: 'what was learned could not be written; it is tried again', error });
    }
  }

  private *statesOf(models: Iterable<string>): Generator<LearnedModel, void, undefined> {
    for (const model of models) {
      const state = this.predictor.stateOf(model);
      if (state !== undefined) yield { model, state, learnedUntilMs: this.learnedUntilMs };
    }
  }
}
