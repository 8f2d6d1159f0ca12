import { rangeOf, type DurationRange, type QuantileDistribution } from '../core/distribution';
import { AnswerFault, decode, shown } from '../outgoing/answer-fault';
import { readQuantiles } from './quantile-input';

/** Characters of a name at most. */
const LONGEST_NAME = 512;
/** Models of one list, and names of one model, that are read at most. */
const MOST_ENTRIES = 10_000;
const UNPRINTABLE = /[\p{Surrogate}\p{Cc}]/u;

/** What a predictor says of one task. */
export class ModelPrediction {
  constructor(
    readonly modelType: string,
    readonly serviceTime: QuantileDistribution,
    /** How the predictor came to it: `lookup`, `learned`, …; null when it does not say. */
    readonly method: string | null,
    /** Share of its outcomes that fell inside its 80 % interval; null when it does not say. */
    readonly confidence: number | null,
  ) {}

  /** Levels in 0–1, ascending. */
  get quantiles(): readonly number[] {
    return this.serviceTime.quantiles.levels;
  }

  /** Service times in ms at these levels, ascending. */
  get quantilePredictions(): readonly number[] {
    return this.serviceTime.quantiles.values;
  }

  /**
   * Where the service time lies with this confidence: for 0.8 from the 0.1 to the 0.9 quantile.
   * @throws {RangeError} when the confidence is not between 0 and 1
   */
  range(confidence: number): DurationRange {
    return rangeOf(this.serviceTime, confidence);
  }
}

/** How a predictor is. */
export interface PredictorHealth {
  /** True when it says `healthy`. */
  readonly healthy: boolean;
  readonly version: string | null;
  readonly totalModels: number | null;
}

/** One model that a predictor knows of. */
export interface PredictorModel {
  readonly modelType: string;
  readonly modelName: string | null;
  readonly totalPredictions: number | null;
  readonly hardwareTypes: readonly string[];
  /** As in `vllm-0.2.0`. */
  readonly softwareVersions: readonly string[];
}

/**
 * Reads `POST /predict`.
 * @returns null when the predictor knows nothing of this model
 * @throws {AnswerFault} when it is not what the contract says
 */
export function readPrediction(bytes: Buffer, asked: string): ModelPrediction | null {
  const answer = readObject(bytes);
  const status = answer['status'];
  if (status === 'error') return null;
  if (status !== 'success') throw wrong('status', status, 'success or error');
  const reading = readQuantiles(answer['quantiles'], answer['quantile_predictions']);
  if ('fault' in reading) throw new AnswerFault(reading.fault);
  const { confidence } = answer;
  const known = typeof confidence === 'number' && confidence >= 0 && confidence <= 1;
  const method = nameOrNull(answer['prediction_method']);
  return new ModelPrediction(asked, reading.distribution, method, known ? confidence : null);
}

/** Reads `GET /health`. @throws {AnswerFault} when it is not what the contract says */
export function readHealth(bytes: Buffer): PredictorHealth {
  const answer = readObject(bytes);
  const { status } = answer;
  if (typeof status !== 'string') throw wrong('status', status, 'a text');
  return {
    healthy: status === 'healthy',
    version: nameOrNull(answer['version']),
    totalModels: countOrNull(answer['total_models']),
  };
}

/** Reads `GET /models`. @throws {AnswerFault} when it is not what the contract says */
export function readModels(bytes: Buffer): readonly PredictorModel[] {
  const { models } = readObject(bytes);
  if (!Array.isArray(models) || models.length > MOST_ENTRIES) {
    throw new AnswerFault(`models must be a list of at most ${MOST_ENTRIES}`);
  }
  return models.map(readModel);
}

function readModel(entry: unknown, index: number): PredictorModel {
  const where = `models[${index}]`;
  if (!isObject(entry)) throw new AnswerFault(`${where} must be an object`);
  const modelType = nameOrNull(entry['model_type']);
  if (modelType === null) throw wrong(`${where}.model_type`, entry['model_type'], 'a name');
  return {
    modelType,
    modelName: nameOrNull(entry['model_name']),
    totalPredictions: countOrNull(entry['total_predictions']),
    hardwareTypes: readNames(entry['hardware_types'], `${where}.hardware_types`),
    softwareVersions: readNames(entry['software_versions'], `${where}.software_versions`),
  };
}

function readNames(value: unknown, name: string): readonly string[] {
  if (value === undefined || value === null) return [];
  const isList = Array.isArray(value) && value.length <= MOST_ENTRIES;
  if (isList && value.every(isName)) return value;
  throw new AnswerFault(`${name} must be a list of at most ${MOST_ENTRIES} names`);
}

function readObject(bytes: Buffer): Readonly<Record<string, unknown>> {
  const text = decode(bytes);
  const value = parse(text);
  if (!isObject(value)) throw new AnswerFault(`expected a JSON object, got ${shown(text)}`);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > LONGEST_NAME) return false;
  return value !== '' && !UNPRINTABLE.test(value);
}

function nameOrNull(value: unknown): string | null {
  return isName(value) ? value : null;
}

function countOrNull(value: unknown): number | null {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : null;
}

function wrong(name: string, value: unknown, allowed: string): AnswerFault {
  return new AnswerFault(`${name} is ${kindOf(value)}; expected ${allowed}`);
}

/** A value in few characters; lists and objects, which may be deep, are only named. */
function kindOf(value: unknown): string {
  if (typeof value === 'string') return shown(value);
  if (value === undefined) return 'absent';
  return value !== null && typeof value === 'object' ? 'a list or object' : JSON.stringify(value);
}
