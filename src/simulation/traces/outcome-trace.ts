import {
  ascending,
  decimal,
  readHeading,
  readTable,
  text,
  TraceError,
  type CellReader,
} from './csv-table';

/** One task of a recorded workload with its true run time; a predictor reads it as it is. */
export interface OutcomeRow {
  /** Counts from 1; the heading is not counted. */
  readonly row: number;
  readonly arrivalSeconds: number;
  /** Empty where the file has no such column. */
  readonly model: string;
  /** Every other column. Empty cells are left out. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly serviceSeconds: number;
}

const ARRIVALS = ['arrival_s', 'submit_s'];
/** Names that the column of true run times, in s, may have. */
export const OUTCOMES: readonly string[] = ['exec_s', 'run_s', 'service_s'];
const MODEL = 'model';
/** Numbers in these columns are names. */
const NAMES: ReadonlySet<string> = new Set([
  ...['model', 'user', 'owner', 'project', 'queue', 'type', 'labels'],
  ...['hardware', 'software_name', 'software_version'],
]);
const LONGEST_SECONDS = 1e10;

type Cell = string | number | null;

/**
 * Reads a CSV file of tasks and how long they ran: a column `arrival_s` or `submit_s` (ascending),
 * one of `exec_s`, `run_s` and `service_s`, perhaps `model`; all others are what is known of a task.
 * @param limit most rows that are read
 * @throws {TraceError}
 */
export async function readOutcomes(path: string, limit = Infinity): Promise<readonly OutcomeRow[]> {
  const heading = await readHeading(path);
  const arrival = oneOf(ARRIVALS, heading, path);
  const outcome = oneOf(OUTCOMES, heading, path);
  const columns: Record<string, CellReader<Cell>> = {};
  for (const name of heading) columns[name] = NAMES.has(name) ? text : cell;
  columns[arrival] = ascending(decimal(LONGEST_SECONDS));
  columns[outcome] = decimal(LONGEST_SECONDS);
  const rows = await readTable<Record<string, Cell>>(path, columns, limit);
  return rows.map((row, index) => {
    const { [arrival]: at, [outcome]: took, [MODEL]: model, ...others } = row;
    const known = Object.entries(others).filter(([, value]) => value !== null && value !== '');
    return {
      row: index + 1,
      arrivalSeconds: Number(at),
      model: typeof model === 'string' ? model : '',
      metadata: Object.fromEntries(known),
      serviceSeconds: Number(took),
    };
  });
}

function oneOf(names: readonly string[], heading: readonly string[], path: string): string {
  const found = names.find((name) => heading.includes(name));
  if (found !== undefined) return found;
  const columns = heading.join(', ').slice(0, 200);
  throw new TraceError(
    `the trace ${path} cannot be used:\nline 1: a column ${names.join(' or ')} is expected; found ${columns}`,
  );
}

function cell(value: string): Cell {
  if (value === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : text(value, undefined);
}
