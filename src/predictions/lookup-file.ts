import { readFileSync } from 'node:fs';
import type { QuantileDistribution } from '../core/distribution';
import { readQuantiles } from './quantile-input';

/** Fields of a task's metadata that a record of the lookup file can be about. */
export const LOOKUP_FIELDS = [
  'model_name',
  'hardware',
  'software_name',
  'software_version',
] as const;

/** One usable record of the lookup file. */
export interface LookupRecord {
  /** The names under which a task's model finds it. */
  readonly models: readonly string[];
  readonly info: ReadonlyMap<string, string>;
  readonly distribution: QuantileDistribution;
}

/** The lookup file cannot be used; the message names the file, the record and the field. */
export class LookupFileError extends Error {
  constructor(file: string, fault: string) {
    super(`lookup file ${file}: ${fault}`);
    this.name = 'LookupFileError';
  }
}

/**
 * Reads the lookup file of contracts/predictor: a JSON array of records. Those whose `status` is
 * not `success` are skipped.
 * @throws {LookupFileError} when it cannot be read, or a record is wrong
 */
export function readLookupFile(file: string): readonly LookupRecord[] {
  const parsed = parse(file);
  if (!Array.isArray(parsed)) throw new LookupFileError(file, 'must hold a JSON array of records');
  return parsed.flatMap((record: unknown, index) => readRecord(file, index, record));
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const fault =
      error instanceof SyntaxError ? `is not JSON (${error.message})` : 'cannot be read';
    throw new LookupFileError(
      file,
      error instanceof SyntaxError ? fault : `${fault} (${String(error)})`,
    );
  }
}

function readRecord(file: string, index: number, record: unknown): readonly LookupRecord[] {
  const fail = (fault: string): never => {
    throw new LookupFileError(file, `record ${index}: ${fault}`);
  };
  if (!isObject(record)) return fail('must be an object');
  if (record['status'] !== 'success') return [];
  const given = record['model_info'] ?? {};
  if (!isObject(given)) return fail('model_info must be an object');
  const models = [record['model_type'], given['type']].filter((name) => name !== undefined);
  if (models.length === 0) return fail('model_type is missing');
  const info = new Map<string, string>();
  for (const field of LOOKUP_FIELDS) {
    const value = given[field === 'model_name' ? 'name' : field];
    if (value === undefined) continue;
    if (typeof value !== 'string') return fail(`model_info.${field} must be a string`);
    info.set(field, value);
  }
  const reading = readQuantiles(record['quantiles'], record['quantile_predictions']);
  if ('fault' in reading) return fail(reading.fault);
  return [{ models: models.map(String), info, distribution: reading.distribution }];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
