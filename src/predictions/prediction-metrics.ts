import { Injectable } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { queueKey } from '../core/queue';
import { QueueLabels } from '../ops/queue-labels';
import { OutcomeScores, type Accuracy } from './outcome-scores';
import { PredictionAccuracy } from './prediction-accuracy';

const MS_PER_SECOND = 1_000;
const BY_SOURCE = ['kind', 'queue', 'source'] as const;

type SourceLabel = Readonly<Record<(typeof BY_SOURCE)[number], string>>;

/** How well the predictions of each source hold, queue by queue. */
@Injectable()
export class PredictionMetrics {
  constructor(registry: Registry, labels: QueueLabels, accuracy: PredictionAccuracy) {
    const perSource = (name: string, help: string, of: (figures: Accuracy) => number): void => {
      new Gauge({
        name,
        help,
        labelNames: BY_SOURCE,
        registers: [registry],
        collect() {
          this.reset();
          for (const [label, figures] of accuracies(accuracy, labels)) this.set(label, of(figures));
        },
      });
    };
    perSource(
      'foresail_prediction_outcomes',
      'Outcomes that the figures of predictions stand on, 200 at most of each model.',
      ({ outcomes }) => outcomes,
    );
    perSource(
      'foresail_prediction_error_ratio',
      'Mean absolute error of the predicted median, as a share of the real time.',
      ({ mape }) => mape,
    );
    perSource(
      'foresail_prediction_pinball_seconds',
      'Mean pinball loss of the predicted quantiles.',
      ({ pinballMs }) => pinballMs / MS_PER_SECOND,
    );
    perSource(
      'foresail_prediction_coverage_ratio',
      'Share of real times inside the predicted 80 % interval.',
      ({ coverage80 }) => coverage80,
    );
    perSource(
      'foresail_prediction_bias_ratio',
      'Geometric mean of predicted median over real time.',
      ({ bias }) => bias,
    );
  }
}

/** Models that share a label are one: their outcomes are taken together. */
function accuracies(
  accuracy: PredictionAccuracy,
  labels: QueueLabels,
): readonly (readonly [SourceLabel, Accuracy])[] {
  const groups = new Map<
    string,
    { readonly label: SourceLabel; readonly parts: OutcomeScores[] }
  >();
  for (const [model, source, scores] of accuracy.scores()) {
    const label = { ...labels.of(queueKey('model', model)), source };
    const name = `${source}/${label.queue}`;
    const group = groups.get(name) ?? { label, parts: [] };
    groups.set(name, group);
    group.parts.push(scores);
  }
  return [...groups.values()].flatMap(({ label, parts }) => {
    const figures = OutcomeScores.accuracyOf(parts);
    return figures ? [[label, figures] as const] : [];
  });
}
