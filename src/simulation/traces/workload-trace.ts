import { tasksOf } from '../simulate';
import type { SimulatedTask } from '../workload';
import { readHeading, TraceError } from './csv-table';
import { readTrace } from './llm-trace';
import { OUTCOMES, readOutcomes } from './outcome-trace';

/** A recorded workload that can be simulated. */
export interface WorkloadTrace {
  /** How many tasks it has. */
  readonly size: number;
  /** The columns, beside the times and the model. */
  readonly known: ReadonlySet<string>;
  /** Its tasks in the order of arrival; the seed is for the times that are not recorded. */
  readonly tasks: (seed: number) => readonly SimulatedTask[];
}

/**
 * Reads a workload: where a column says how long tasks ran (`exec_s`, `run_s` or `service_s`), that
 * is how long they run, at speed 1; else they are model requests, whose tokens say it.
 * @param limit most rows that are read
 * @throws {TraceError}
 */
export async function readWorkload(path: string, limit: number): Promise<WorkloadTrace> {
  const known = new Set(await readHeading(path));
  if (!OUTCOMES.some((column) => known.has(column))) {
    const rows = await readTrace(path, limit).catch((error: unknown) => {
      throw hinted(error, known);
    });
    return { size: rows.length, known, tasks: (seed) => tasksOf(rows, seed) };
  }
  const rows = await readOutcomes(path, limit);
  const tasks = rows.map(({ arrivalSeconds, serviceSeconds, model, metadata }, index) => ({
    index,
    arrivalMs: arrivalSeconds * 1000,
    model,
    metadata,
    serviceMs: serviceSeconds * 1000,
  }));
  return { size: tasks.length, known, tasks: () => tasks };
}

/** A file without tokens may have been meant to have run times. */
function hinted(error: unknown, known: ReadonlySet<string>): unknown {
  if (!(error instanceof TraceError) || known.has('input_tokens')) return error;
  const hint = `or, of tasks whose times are known, a column ${OUTCOMES.join(' or ')}`;
  return new TraceError(`${error.message};\n${hint}`, { cause: error });
}
