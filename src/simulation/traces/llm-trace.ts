import { ascending, decimal, name, readTable, whole } from './csv-table';

/** One request of a recorded workload. */
export interface TraceRow {
  /** Counts from 1; the heading is not counted. */
  readonly row: number;
  /** Seconds from the beginning of the recording. */
  readonly arrivalSeconds: number;
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

const COLUMNS = {
  arrival_s: ascending(decimal(1e9)),
  model: name,
  input_tokens: whole(1e9),
  output_tokens: whole(1e9),
};

/**
 * Reads the first rows of a trace of model requests: CSV with the columns `arrival_s` (ascending),
 * `model`, `input_tokens` and `output_tokens`, in any order, others ignored.
 *
 * @param limit most rows that are read
 * @throws {TraceError}
 */
export async function readTrace(path: string, limit: number): Promise<readonly TraceRow[]> {
  const rows = await readTable(path, COLUMNS, limit);
  return rows.map((row, index) => ({
    row: index + 1,
    arrivalSeconds: row.arrival_s,
    model: row.model,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
  }));
}
