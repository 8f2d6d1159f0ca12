import { createReadStream } from 'node:fs';
import { CommandFailure, EXIT } from './exit';

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

const MOST_TOKENS = 1e9;
const LONGEST_SECONDS = 1e9;
const LONGEST_MODEL = 256;
/** More faults than this say nothing new about a wrong file. */
const MOST_FAULTS = 10;
const LONGEST_SHOWN = 60;

/** A cell that is not what its column needs. */
class CellFault extends Error {}

/** How the cell of a column becomes a value. Throws a `CellFault` for a wrong one. */
type CellReader<T> = (cell: string) => T;

const READERS = {
  arrival_s: decimalCell(LONGEST_SECONDS),
  model: modelCell,
  input_tokens: wholeCell(MOST_TOKENS),
  output_tokens: wholeCell(MOST_TOKENS),
} as const satisfies Record<string, CellReader<unknown>>;

type ColumnName = keyof typeof READERS;
const COLUMNS = ['arrival_s', 'model', 'input_tokens', 'output_tokens'] as const;
const EXPECTED = `a CSV file with the columns ${COLUMNS.join(', ')} is expected`;

/** What csv-parse gives per record with `info: true`. */
interface ParsedRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads the first rows of a trace of model requests: CSV with the columns `arrival_s` (ascending),
 * `model`, `input_tokens` and `output_tokens`, in any order, others ignored.
 *
 * @param limit most rows that are read
 * @throws {CommandFailure} usage, naming line, column and what was expected, for the first ten
 *   faults of the file; also when it cannot be read, or holds no rows
 */
export async function readTrace(path: string, limit: number): Promise<readonly TraceRow[]> {
  const reading = new TraceReading(path);
  try {
    for await (const parsed of recordsOf(path)) {
      if (reading.rows.length >= limit || !reading.take(parsed)) break;
    }
  } catch (error) {
    throw reading.stoppedBy(error);
  }
  return reading.finished();
}

async function* recordsOf(path: string): AsyncGenerator<ParsedRecord> {
  const { parse } = await import('csv-parse');
  const parser = parse({ bom: true, info: true, skip_empty_lines: true, trim: true });
  const file = createReadStream(path).on('error', (error) => parser.destroy(error));
  try {
    // The parser's stream is typed `any`; with `info: true` it yields this shape.
    for await (const parsed of file.pipe(parser)) yield parsed as ParsedRecord;
  } finally {
    file.destroy();
  }
}

/** One file on its way to rows. */
class TraceReading {
  readonly rows: TraceRow[] = [];
  private readonly faults: string[] = [];
  private positions: ReadonlyMap<ColumnName, number> | null = null;
  private lastArrival = 0;

  constructor(private readonly path: string) {}

  /** False when there is no point in reading on. */
  take({ record, info }: ParsedRecord): boolean {
    if (this.positions === null) {
      this.positions = this.headingOf(record);
      return true;
    }
    const row = this.rowOf(record, info.lines, this.positions);
    if (row !== null) this.rows.push(row);
    return this.faults.length < MOST_FAULTS;
  }

  /** @throws {CommandFailure} with every fault found; or when there are no rows */
  finished(): readonly TraceRow[] {
    if (this.faults.length > 0) throw this.failure(this.faults.join('\n'));
    if (this.positions === null) throw this.failure(`the file is empty; ${EXPECTED}`);
    if (this.rows.length === 0) throw this.failure('the file has a heading and no rows');
    return this.rows;
  }

  /** What an error of the file system or of the CSV parser means for the file. */
  stoppedBy(error: unknown): unknown {
    if (error instanceof CommandFailure || !isCoded(error)) return error;
    const line = error.lines === undefined ? '' : `line ${error.lines}: `;
    const faults = [...this.faults, `${line}${error.message}`].join('\n');
    const hint = error.code.startsWith('CSV_') ? `\n${EXPECTED}` : '';
    return this.failure(`${faults}${hint}`, error);
  }

  private headingOf(record: readonly string[]): ReadonlyMap<ColumnName, number> {
    const twice = COLUMNS.find((name) => record.indexOf(name) !== record.lastIndexOf(name));
    if (twice !== undefined) throw this.failure(`line 1: the column ${twice} stands there twice`);
    const absent = COLUMNS.filter((name) => !record.includes(name));
    if (absent.length === 0) return new Map(COLUMNS.map((name) => [name, record.indexOf(name)]));
    const found = shown(record.join(','));
    throw this.failure(`line 1: ${EXPECTED}; ${absent.join(', ')} not found in ${found}`);
  }

  private rowOf(
    record: readonly string[],
    line: number,
    positions: ReadonlyMap<ColumnName, number>,
  ): TraceRow | null {
    const found = this.faults.length;
    const read = <T>(name: ColumnName, reader: CellReader<T>, otherwise: T): T => {
      const index = positions.get(name) ?? 0;
      try {
        return reader(record[index] ?? '');
      } catch (error) {
        if (!(error instanceof CellFault)) throw error;
        this.faults.push(`line ${line}, column ${index + 1} (${name}): ${error.message}`);
        return otherwise;
      }
    };
    const row = {
      row: this.rows.length + 1,
      arrivalSeconds: read('arrival_s', this.ascending, this.lastArrival),
      model: read('model', READERS.model, ''),
      inputTokens: read('input_tokens', READERS.input_tokens, 0),
      outputTokens: read('output_tokens', READERS.output_tokens, 0),
    };
    this.lastArrival = row.arrivalSeconds;
    return this.faults.length === found ? row : null;
  }

  private readonly ascending: CellReader<number> = (cell) => {
    const value = READERS.arrival_s(cell);
    if (value >= this.lastArrival) return value;
    throw new CellFault(`${value} is before ${this.lastArrival} of a row above; arrivals ascend`);
  };

  private failure(message: string, cause?: unknown): CommandFailure {
    const text = `the trace ${this.path} cannot be used:\n${message}`;
    return new CommandFailure(EXIT.usage, text, { cause });
  }
}

function isCoded(error: unknown): error is { code: string; message: string; lines?: number } {
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error;
}

function decimalCell(most: number): CellReader<number> {
  return (cell) => {
    const value = /^\d+(\.\d+)?(e[+-]?\d+)?$/i.test(cell) ? Number(cell) : NaN;
    if (value <= most) return value;
    throw new CellFault(`${shown(cell)} is not a number from 0 to ${most}`);
  };
}

function wholeCell(most: number): CellReader<number> {
  return (cell) => {
    const value = /^\d+$/.test(cell) ? Number(cell) : NaN;
    if (value <= most) return value;
    throw new CellFault(`${shown(cell)} is not a whole number from 0 to ${most}`);
  };
}

function modelCell(cell: string): string {
  if (cell.length >= 1 && cell.length <= LONGEST_MODEL) return cell;
  throw new CellFault(`${shown(cell)} is not a name of 1 to ${LONGEST_MODEL} characters`);
}

function shown(cell: string): string {
  return JSON.stringify(cell.length > LONGEST_SHOWN ? `${cell.slice(0, LONGEST_SHOWN)}…` : cell);
}
