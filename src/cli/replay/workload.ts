import { serviceNoise, tokenServiceMs } from '../../ops/token-service';
import type { TraceRow } from '../../simulation/traces/llm-trace';

/** How rows of a trace become tasks. */
export interface WorkloadOptions {
  /** The task of row 17 is `<prefix>-17`. */
  readonly prefix: string;
  /** How many times faster than recorded the tasks arrive. */
  readonly speed: number;
  /** How many times faster than real time the workers pretend to work. */
  readonly timeScale: number;
  /** Model of every task; default: what the trace names. */
  readonly model?: string;
  /** Send the predicted service time along. */
  readonly predict: boolean;
  /** Send the true service time along, for the simulated engine of the workers. */
  readonly serviceTimes: boolean;
  /** Seed of the noise on true service times. */
  readonly seed: number;
}

/** A task that is to be submitted. */
export interface ReplayTask {
  readonly taskId: string;
  readonly row: number;
  readonly model: string;
  /** When it arrives, ms after the beginning of the replay. */
  readonly dueMs: number;
  /** Body of its submission, JSON text. */
  readonly body: string;
}

/**
 * The tasks of a trace, in its order. The first arrives at once, the others as much later as they
 * did, divided by the speed.
 *
 * Metadata of each: `input_tokens`, `output_tokens`, `row`; `predicted_ms` is what the token
 * formula says without noise, in real ms of a worker of that time scale; `service_ms` is what it
 * says with seeded noise, in simulated ms of speed 1.
 */
export function workloadOf(
  rows: readonly TraceRow[],
  options: WorkloadOptions,
): readonly ReplayTask[] {
  const begin = rows[0]?.arrivalSeconds ?? 0;
  return rows.map((row) => {
    const taskId = `${options.prefix}-${row.row}`;
    const model = options.model ?? row.model;
    const body = {
      model_name: model,
      task_id: taskId,
      task_input: { row: row.row },
      metadata: metadataOf(row, options),
    };
    const dueMs = ((row.arrivalSeconds - begin) * 1000) / options.speed;
    return { taskId, row: row.row, model, dueMs, body: JSON.stringify(body) };
  });
}

function metadataOf(
  { row, inputTokens, outputTokens }: TraceRow,
  { predict, serviceTimes, timeScale, seed }: WorkloadOptions,
): Readonly<Record<string, number>> {
  const expectedMs = tokenServiceMs(inputTokens, outputTokens);
  return {
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    row,
    ...(predict ? { predicted_ms: expectedMs / timeScale } : {}),
    ...(serviceTimes ? { service_ms: expectedMs * serviceNoise(`${seed}/${row}`) } : {}),
  };
}
