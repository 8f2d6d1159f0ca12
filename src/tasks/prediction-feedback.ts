import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Change } from '../core/task';
import { OutcomesRepository } from '../persistence/outcomes.repository';
import { PredictionAccuracy } from '../predictions/prediction-accuracy';
import type { ChangeListener } from './change-listener';
import { measuredOutcome } from './measured-outcome';

/** Finished tasks that are looked back at when a term begins: 200 each of 25 models. */
const LOOKED_BACK_AT = 5_000;

/** Holds what was predicted of a task against how long it ran. */
@Injectable()
export class PredictionFeedback implements ChangeListener, OnModuleInit {
  constructor(
    @Inject(PredictionAccuracy) private readonly accuracy: Pick<PredictionAccuracy, 'observe'>,
    @Inject(OutcomesRepository) private readonly outcomes: Pick<OutcomesRepository, 'recent'>,
  ) {}

  /** Takes up what happened in earlier terms. */
  async onModuleInit(): Promise<void> {
    for (const outcome of await this.outcomes.recent(LOOKED_BACK_AT)) {
      this.accuracy.observe(outcome);
    }
  }

  told(changes: readonly Change[]): void {
    for (const change of changes) {
      const outcome = measuredOutcome(change);
      if (!outcome) continue;
      const { model, instanceId, serviceMs: actualMs } = outcome;
      this.accuracy.observe({ model, instanceId, ...change.task.prediction, actualMs });
    }
  }
}
