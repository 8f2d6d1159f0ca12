import { QuantileDistribution, type Distribution } from '../../core/distribution';
import { LOOKUP_FIELDS, type LookupRecord } from '../lookup-file';
import type { PredictionQuery, PredictionSource } from '../prediction-source';

/** Levels at which merged records are sampled: close together, since a mixture may jump. */
const MERGED_LEVELS = Object.freeze(Array.from({ length: 20 }, (_, i) => (i + 0.5) / 20));
/** Points per record from which a mixture is made. */
const MIXTURE_POINTS = 200;

/**
 * The lookup table: records of the task's model whose hardware, software and name agree with what
 * the task's metadata says. The most specific record wins; ties are merged into one distribution.
 */
export class LookupSource implements PredictionSource {
  readonly method = 'lookup';
  private readonly byModel = new Map<string, LookupRecord[]>();

  constructor(records: readonly LookupRecord[]) {
    for (const record of records) {
      for (const model of new Set(record.models)) {
        this.byModel.set(model, [...(this.byModel.get(model) ?? []), record]);
      }
    }
  }

  predict({ model, metadata }: PredictionQuery): Distribution | undefined {
    const wanted = LOOKUP_FIELDS.filter((field) => typeof metadata[field] === 'string');
    const matches = (this.byModel.get(model) ?? []).filter(({ info }) =>
      wanted.every((field) => info.get(field) === metadata[field]),
    );
    const most = Math.max(...matches.map(({ info }) => info.size));
    const best = matches.filter(({ info }) => info.size === most);
    return best.length > 1 ? merge(best) : best[0]?.distribution;
  }
}

/** The mixture of equally good records, each with the same weight. */
function merge(records: readonly LookupRecord[]): Distribution {
  const points = records
    .flatMap(({ distribution }) =>
      Array.from({ length: MIXTURE_POINTS }, (_, i) =>
        distribution.quantile((i + 0.5) / MIXTURE_POINTS),
      ),
    )
    .sort((a, b) => a - b);
  const values = MERGED_LEVELS.map((level) => points[Math.floor(level * points.length)] ?? 0);
  return new QuantileDistribution(MERGED_LEVELS, values);
}
