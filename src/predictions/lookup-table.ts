import { QuantileDistribution } from '../core/distribution';
import { LOOKUP_FIELDS, type LookupRecord } from './lookup-file';
import type { PredictionQuery } from './prediction-source';

/** Levels at which merged records are sampled: close together, since a mixture may jump. */
const MERGED_LEVELS = Object.freeze(Array.from({ length: 20 }, (_, i) => (i + 0.5) / 20));
/** Points per record from which a mixture is made. */
const MIXTURE_POINTS = 200;
/** Answers that are remembered: as many as there are usual combinations of model and hardware. */
const MOST_REMEMBERED = 1_000;

/** What the records say of one model. */
export interface KnownModel {
  readonly modelType: string;
  /** Its name in the records; null where they name none. */
  readonly modelName: string | null;
  readonly hardwareTypes: readonly string[];
  /** Software and version, as in `vllm-0.2.0`. */
  readonly softwareVersions: readonly string[];
}

/**
 * The records of one state of the lookup file. Those of the task's model match whose name, hardware
 * and software agree with what the task's metadata carries. The most specific record wins; ties are
 * merged into one distribution.
 */
export class LookupTable {
  private readonly byModel = new Map<string, LookupRecord[]>();
  private known: readonly KnownModel[] | undefined;
  private readonly answers = new Map<string, QuantileDistribution | undefined>();

  constructor(readonly records: readonly LookupRecord[]) {
    for (const record of records) {
      for (const model of record.models) {
        const known = this.byModel.get(model);
        if (known) known.push(record);
        else this.byModel.set(model, [record]);
      }
    }
  }

  /** The service time in ms; undefined when no record matches. */
  find({ model, metadata }: PredictionQuery): QuantileDistribution | undefined {
    const records = this.byModel.get(model);
    if (!records) return undefined;
    const carried = LOOKUP_FIELDS.map((field) => carriedIn(metadata, field));
    if (carried.some(isUnmatchable)) return undefined;
    const key = JSON.stringify([model, ...carried]);
    if (this.answers.has(key)) return this.answers.get(key);
    if (this.answers.size >= MOST_REMEMBERED) this.answers.clear();
    const answer = bestOf(records, carried);
    this.answers.set(key, answer);
    return answer;
  }

  /** The models that the records are about, in the order of the file. */
  get models(): readonly KnownModel[] {
    this.known ??= [...this.byModel].flatMap(([modelType, records]) =>
      knownModels(modelType, records),
    );
    return this.known;
  }
}

/** The text that a task carries in a field; null when it carries none there. */
function carriedIn(metadata: PredictionQuery['metadata'], field: string): unknown {
  return Object.hasOwn(metadata, field) ? (metadata[field] ?? null) : null;
}

/** Records hold texts: anything else agrees with none of them. */
function isUnmatchable(carried: unknown): boolean {
  return carried !== null && typeof carried !== 'string';
}

function bestOf(
  records: readonly LookupRecord[],
  carried: readonly unknown[],
): QuantileDistribution | undefined {
  const agrees = ({ info }: LookupRecord): boolean =>
    LOOKUP_FIELDS.every((field, i) => carried[i] === null || carried[i] === info.get(field));
  const matches = records.filter(agrees);
  const most = matches.reduce((size, { info }) => Math.max(size, info.size), 0);
  const best = matches.filter(({ info }) => info.size === most);
  return best.length > 1 ? merge(best) : best[0]?.distribution;
}

/** The mixture of equally good records, each with the same weight. */
function merge(records: readonly LookupRecord[]): QuantileDistribution {
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

function knownModels(modelType: string, records: readonly LookupRecord[]): readonly KnownModel[] {
  const byName = new Map<string | null, LookupRecord[]>();
  for (const record of records) {
    const name = record.info.get('model_name') ?? null;
    const named = byName.get(name);
    if (named) named.push(record);
    else byName.set(name, [record]);
  }
  return [...byName].map(([modelName, named]) => ({
    modelType,
    modelName,
    hardwareTypes: [...new Set(named.flatMap(({ info }) => info.get('hardware') ?? []))],
    softwareVersions: [...new Set(named.flatMap(({ info }) => softwareOf(info)))],
  }));
}

function softwareOf(info: LookupRecord['info']): readonly string[] {
  const [name, version] = [info.get('software_name'), info.get('software_version')];
  const parts = [name, version].filter((part) => part !== undefined);
  return parts.length === 0 ? [] : [parts.join('-')];
}
