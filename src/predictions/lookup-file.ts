import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { InputError } from '../config/input-error';
import type { QuantileDistribution } from '../core/distribution';
import { readQuantiles } from './quantile-input';

/** Fields of a task's metadata that a record of the lookup file can be about. */
export const LOOKUP_FIELDS = [
  'model_name',
  'hardware',
  'software_name',
  'software_version',
] as const;

/** One of these fields. */
export type LookupField = (typeof LOOKUP_FIELDS)[number];

/** How `model_info` calls them. */
const NAMES_IN_FILE: Readonly<Record<LookupField, string>> = {
  model_name: 'name',
  hardware: 'hardware',
  software_name: 'software_name',
  software_version: 'software_version',
};

/** One usable record of the lookup file. */
export interface LookupRecord {
  /** The names under which a task's model finds it. */
  readonly models: readonly string[];
  readonly info: ReadonlyMap<LookupField, string>;
  readonly distribution: QuantileDistribution;
}

/** The lookup file cannot be used; the message names the file, the record and the field. */
export class LookupFileError extends InputError {
  constructor(
    file: string,
    /** What is wrong, without the name of the file. */
    readonly fault: string,
    options?: { cause?: unknown },
  ) {
    super(`lookup file ${file}: ${fault}`, options);
    this.name = 'LookupFileError';
  }
}

/**
 * Reads the lookup file of contracts/predictor: a JSON array of records. Those whose `status` is
 * not `success` are skipped.
 * @throws {LookupFileError} when it cannot be read, or a record is wrong
 */
export function readLookupFile(file: string): readonly LookupRecord[] {
  try {
    return parse(file, readFileSync(file, 'utf8'));
  } catch (error) {
    throw asLookupFault(file, error);
  }
}

/** The same, without holding up what else goes on while the file comes. */
export async function readLookupFileLater(file: string): Promise<readonly LookupRecord[]> {
  try {
    return parse(file, await readFile(file, 'utf8'));
  } catch (error) {
    throw asLookupFault(file, error);
  }
}

function asLookupFault(file: string, error: unknown): LookupFileError {
  if (error instanceof LookupFileError) return error;
  const fault =
    error instanceof SyntaxError
      ? `is not JSON (${error.message})`
      : `cannot be read (${String(error)})`;
  return new LookupFileError(file, fault, { cause: error });
}

function parse(file: string, text: string): readonly LookupRecord[] {
  const parsed: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
  if (!Array.isArray(parsed)) throw new LookupFileError(file, 'must hold a JSON array of records');
  return parsed.flatMap((record: unknown, index) => readRecord(file, index, record));
}

function readRecord(file: string, index: number, record: unknown): readonly LookupRecord[] {
  const fail = (fault: string): never => {
    throw new LookupFileError(file, `record ${index}: ${fault}`);
  };
  if (!isObject(record)) return fail('must be an object');
  if (record['status'] !== 'success') return [];
  const given = record['model_info'] ?? {};
  if (!isObject(given)) return fail('model_info must be an object');
  const models = modelsOf(record, given);
  if (typeof models === 'string') return fail(models);
  const info = new Map<LookupField, string>();
  for (const field of LOOKUP_FIELDS) {
    const name = NAMES_IN_FILE[field];
    const value = given[name] ?? undefined;
    if (value === undefined) continue;
    if (typeof value !== 'string') return fail(`model_info.${name} must be a string`);
    info.set(field, value);
  }
  const reading = readQuantiles(record['quantiles'], record['quantile_predictions']);
  if ('fault' in reading) return fail(reading.fault);
  return [{ models, info, distribution: reading.distribution }];
}

/** The names of the record's model, or what is wrong with them. */
function modelsOf(
  { model_type: type = null }: Record<string, unknown>,
  { type: infoType = null }: Record<string, unknown>,
): readonly string[] | string {
  if (type === null && infoType === null) return 'model_type is missing';
  if (type !== null && !isName(type)) return 'model_type must be a string that is not empty';
  if (infoType !== null && !isName(infoType)) {
    return 'model_info.type must be a string that is not empty';
  }
  return [...new Set([type, infoType].filter(isName))];
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
