import { createReadStream } from 'node:fs';
import { InputError } from '../../config/input-error';

/** A trace that cannot be used; the message names the file and, per fault, line, column and what is expected. */
export class TraceError extends InputError {
  override readonly name = 'TraceError';
}

/** A cell that is not what its column needs. */
class CellFault extends Error {}

/** How the cell of a column becomes a value; `above` is the last good one of that column. */
export type CellReader<T> = (cell: string, above: unknown) => T;

/** The columns that a table must have, by name. */
export type Columns<Row> = { readonly [Name in keyof Row & string]: CellReader<Row[Name]> };

/** More faults than this say nothing new about a wrong file. */
const MOST_FAULTS = 10;
const LONGEST_SHOWN = 60;
const LONGEST_NAME = 256;

/** What csv-parse gives per record with `info: true`. */
interface ParsedRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads the first rows of a CSV file that has these columns, in any order, others ignored.
 *
 * @param limit most rows that are read
 * @throws {TraceError} for the first ten faults of the file; also when it cannot be read, or holds
 *   no rows
 */
export async function readTable<Row>(
  path: string,
  columns: Columns<Row>,
  limit = Infinity,
): Promise<readonly Row[]> {
  const reading = new TableReading(path, columns);
  try {
    for await (const parsed of recordsOf(path)) {
      if (reading.rows.length >= limit || !reading.take(parsed)) break;
    }
  } catch (error) {
    throw reading.stoppedBy(error);
  }
  return reading.finished();
}

/**
 * The names of the columns of a CSV file.
 * @throws {TraceError} when it cannot be read or is empty
 */
export async function readHeading(path: string): Promise<readonly string[]> {
  try {
    for await (const { record } of recordsOf(path)) return record;
  } catch (error) {
    throw new TableReading(path, {}).stoppedBy(error);
  }
  throw new TraceError(`the trace ${path} cannot be used:\nthe file is empty`);
}

/** A number from 0 to `most`. */
export function decimal(most: number): CellReader<number> {
  return (cell) => {
    const value = /^\d+(\.\d+)?(e[+-]?\d+)?$/i.test(cell) ? Number(cell) : NaN;
    if (value <= most) return value;
    throw new CellFault(`${shown(cell)} is not a number from 0 to ${most}`);
  };
}

/** A whole number from 0 to `most`. */
export function whole(most: number): CellReader<number> {
  return (cell) => {
    const value = /^\d+$/.test(cell) ? Number(cell) : NaN;
    if (value <= most) return value;
    throw new CellFault(`${shown(cell)} is not a whole number from 0 to ${most}`);
  };
}

/** What an empty cell of that column means: null. */
export function optional<T>(reader: CellReader<T>): CellReader<T | null> {
  return (cell) => (cell === '' ? null : reader(cell, undefined));
}

/** A number that is never less than that of the row above. */
export function ascending(reader: CellReader<number>): CellReader<number> {
  return (cell, above) => {
    const value = reader(cell, above);
    if (typeof above !== 'number' || value >= above) return value;
    throw new CellFault(`${value} is before ${above} of a row above; arrivals ascend`);
  };
}

/** A name of 1 to 256 characters. */
export const name: CellReader<string> = (cell) => {
  if (cell.length >= 1 && cell.length <= LONGEST_NAME) return cell;
  throw new CellFault(`${shown(cell)} is not a name of 1 to ${LONGEST_NAME} characters`);
};

/** Any text, the empty one included. */
export const text: CellReader<string> = (cell) => {
  if (cell.length <= LONGEST_NAME) return cell;
  throw new CellFault(`${shown(cell)} is longer than ${LONGEST_NAME} characters`);
};

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
class TableReading<Row> {
  readonly rows: Row[] = [];
  private readonly faults: string[] = [];
  private readonly names: readonly (keyof Row & string)[];
  private readonly expected: string;
  private positions: ReadonlyMap<string, number> | null = null;
  /** The last good value of each column. */
  private readonly above: Partial<Row> = {};

  constructor(
    private readonly path: string,
    private readonly columns: Columns<Row>,
  ) {
    this.names = Object.keys(columns) as (keyof Row & string)[];
    this.expected = `a CSV file with the columns ${this.names.join(', ')} is expected`;
  }

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

  /** @throws {TraceError} with every fault found; or when there are no rows */
  finished(): readonly Row[] {
    if (this.faults.length > 0) throw this.failure(this.faults.join('\n'));
    if (this.positions === null) throw this.failure(`the file is empty; ${this.expected}`);
    if (this.rows.length === 0) throw this.failure('the file has a heading and no rows');
    return this.rows;
  }

  /** What an error of the file system or of the CSV parser means for the file. */
  stoppedBy(error: unknown): unknown {
    if (error instanceof TraceError || !isCoded(error)) return error;
    const line = error.lines === undefined ? '' : `line ${error.lines}: `;
    const faults = [...this.faults, `${line}${error.message}`].join('\n');
    const hint = error.code.startsWith('CSV_') ? `\n${this.expected}` : '';
    return this.failure(`${faults}${hint}`, error);
  }

  private headingOf(record: readonly string[]): ReadonlyMap<string, number> {
    const { names } = this;
    const twice = names.find((column) => record.indexOf(column) !== record.lastIndexOf(column));
    if (twice !== undefined) throw this.failure(`line 1: the column ${twice} stands there twice`);
    const absent = names.filter((column) => !record.includes(column));
    if (absent.length === 0) return new Map(names.map((one) => [one, record.indexOf(one)]));
    const found = shown(record.join(','));
    throw this.failure(`line 1: ${this.expected}; ${absent.join(', ')} not found in ${found}`);
  }

  private rowOf(
    record: readonly string[],
    line: number,
    positions: ReadonlyMap<string, number>,
  ): Row | null {
    const found = this.faults.length;
    const row: Partial<Row> = {};
    for (const column of this.names) {
      const index = positions.get(column) ?? 0;
      try {
        const value = this.columns[column](record[index] ?? '', this.above[column]);
        row[column] = value;
        this.above[column] = value;
      } catch (error) {
        if (!(error instanceof CellFault)) throw error;
        this.faults.push(`line ${line}, column ${index + 1} (${column}): ${error.message}`);
      }
    }
    // Every column was read when there is no new fault.
    return this.faults.length === found ? (row as Row) : null;
  }

  private failure(message: string, cause?: unknown): TraceError {
    return new TraceError(`the trace ${this.path} cannot be used:\n${message}`, { cause });
  }
}

function isCoded(error: unknown): error is { code: string; message: string; lines?: number } {
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error;
}

function shown(cell: string): string {
  return JSON.stringify(cell.length > LONGEST_SHOWN ? `${cell.slice(0, LONGEST_SHOWN)}…` : cell);
}
