import { MODELS } from '../../simulation/traces/synthetic-model';
import { tokenServiceMs } from '../../ops/token-service';
import type { TraceRow } from '../../simulation/traces/llm-trace';

/** A worker of the demo. */
export interface PlannedWorker {
  readonly name: string;
  readonly model: string;
  /** How much faster than the reference it works. */
  readonly speed: number;
}

/** Speeds of the workers of a model, again and again: a fleet that grew over the years. */
const SPEEDS = [1, 2, 4];
/** Work offered to the busiest model, as a share of what its workers can do. */
const LOAD = 0.8;
/** The bursty model needs room for its bursts: a third of the workers, for a tenth of the work. */
const SHARES = new Map([
  ['code', 1 / 3],
  ['conv', 2 / 3],
]);

/** The workers of the demo: at least one for each model. @param count at least 2 */
export function plannedFleet(count: number): readonly PlannedWorker[] {
  return MODELS.flatMap(({ model }) => {
    const share = Math.round(count * (SHARES.get(model) ?? 0));
    const size = Math.min(count - 1, Math.max(1, share));
    return Array.from({ length: size }, (_, index) => ({
      name: `${model}-${index + 1}`,
      model,
      speed: SPEEDS[index % SPEEDS.length] ?? 1,
    }));
  });
}

/**
 * The same requests, their arrivals stretched so that the fleet can just keep up with the busiest
 * model; bursts still make tasks wait.
 */
export function pacedFor(
  fleet: readonly PlannedWorker[],
  rows: readonly TraceRow[],
): readonly TraceRow[] {
  const seconds = Math.max(...MODELS.map(({ model }) => secondsOfWork(model, fleet, rows)));
  const stretch = seconds / LOAD / Math.max(rows.at(-1)?.arrivalSeconds ?? 0, 1e-3);
  return rows.map((row) => ({ ...row, arrivalSeconds: row.arrivalSeconds * stretch }));
}

/** How long all workers of a model together need for its requests, without a pause. */
function secondsOfWork(
  model: string,
  fleet: readonly PlannedWorker[],
  rows: readonly TraceRow[],
): number {
  const own = rows.filter((row) => row.model === model);
  const workMs = own.map((row) => tokenServiceMs(row.inputTokens, row.outputTokens));
  const speeds = fleet.filter((worker) => worker.model === model).map(({ speed }) => speed);
  return sum(workMs) / 1_000 / sum(speeds);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
