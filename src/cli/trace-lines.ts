import type { FinishedTask } from '../persistence/history.repository';

/** More columns than this tell a predictor nothing more. */
export const MOST_NAMES = 64;
/** What readers of traces take. */
const LONGEST_CELL = 256;
/** Columns that mean something else in a trace, and what was said of the time itself. */
const NOT_EXPORTED: ReadonlySet<string> = new Set([
  ...['arrival_s', 'submit_s', 'model', 'exec_s', 'run_s', 'service_s'],
  ...['predicted_ms', 'quantiles', 'quantile_predictions', 'service_ms'],
]);

/**
 * The lines of a trace that `simulate` and `predict --evaluate` read: CSV with `arrival_s` (after the
 * first task), `model`, `service_s` and a column per name of the metadata.
 * @param names of the metadata
 * @param tasks in the order of submission
 */
export async function* traceLines(
  names: readonly string[],
  tasks: AsyncIterable<FinishedTask> | Iterable<FinishedTask>,
): AsyncGenerator<string, void, undefined> {
  const columns = names.filter(isColumn);
  yield lineOf(['arrival_s', 'model', 'service_s', ...columns]);
  let firstMs: number | undefined;
  for await (const { submittedMs, model, serviceMs, metadata } of tasks) {
    firstMs ??= submittedMs;
    const known = membersOf(metadata);
    const arrival = ((submittedMs - firstMs) / 1000).toFixed(6);
    const service = (serviceMs / 1000).toFixed(6);
    yield lineOf([arrival, model, service, ...columns.map((name) => cellOf(known[name]))]);
  }
}

function isColumn(name: string): boolean {
  return name !== '' && name === name.trim() && !NOT_EXPORTED.has(name);
}

function membersOf(metadata: string | null): Readonly<Record<string, unknown>> {
  const parsed: unknown = metadata === null ? null : JSON.parse(metadata);
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

/** Empty for whatever is no number, truth value or short text. */
function cellOf(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.length <= LONGEST_CELL ? value : '';
}

function lineOf(cells: readonly string[]): string {
  return `${cells.map(quoted).join(',')}\n`;
}

/** As RFC 4180 has it. */
function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
