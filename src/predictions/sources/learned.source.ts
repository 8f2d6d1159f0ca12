import type { Prediction } from '../../core/task';
import type { TaskId } from '../../core/units';
import { factsIn } from '../feature-values.predictor';
import type { Features, OnlinePredictor } from '../online.predictor';
import type { PredictionQuery, PredictionSource, SourceAnswer } from '../prediction-source';

/**
 * Live tasks of which it is remembered what was said when they came. Of others the outcome is
 * learned all the same, but nobody is judged by it. None goes for a newer one: the old end first.
 */
const MOST_REMEMBERED = 4_096;

/** A question, what was learned from, and the answer. */
interface Asked {
  readonly features: Features;
  readonly answer: SourceAnswer;
}

/**
 * What was learned from the scheduler's own finished tasks. It is asked about every task that can be
 * remembered, also when another source is believed: what it would have said is held against what comes.
 */
export class LearnedSource implements PredictionSource {
  readonly method = 'learned';
  private readonly asked = new WeakMap<PredictionQuery, Asked>();
  /** By predictions whose tasks are not kept yet. */
  private readonly expected = new WeakMap<Prediction, Features>();
  private readonly remembered = new Map<TaskId, Features>();

  constructor(private readonly predictor: Pick<OnlinePredictor, 'predict'>) {}

  predict(query: PredictionQuery): SourceAnswer {
    return this.ask(query).answer;
  }

  /**
   * This prediction was given on that question, by whichever source. Nobody is asked, which takes its
   * time, while there is no room to remember the answer.
   */
  expect(prediction: Prediction, query: PredictionQuery): void {
    if (this.remembered.size >= MOST_REMEMBERED) return;
    this.expected.set(prediction, this.ask(query).features);
  }

  /** The task of a prediction was taken in. */
  remember(id: TaskId, prediction: Prediction): void {
    const features = this.expected.get(prediction);
    this.expected.delete(prediction);
    if (features && this.remembered.size < MOST_REMEMBERED) this.remembered.set(id, features);
  }

  /** The task has ended. @returns what was asked about it when it came, while that is remembered */
  recall(id: TaskId): Features | undefined {
    const features = this.remembered.get(id);
    this.remembered.delete(id);
    return features;
  }

  /** Once per question: a second answer would be judged instead of the first. */
  private ask(query: PredictionQuery): Asked {
    const before = this.asked.get(query);
    if (before) return before;
    const features = featuresOf(query.model, query.metadata);
    const asked = { features, answer: this.predictor.predict(features) };
    this.asked.set(query, asked);
    return asked;
  }
}

/** What is learned from of a task with these metadata. */
export function featuresOf(model: string, metadata: Features['metadata']): Features {
  return { model, metadata: factsIn(metadata) };
}
