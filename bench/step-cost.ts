/**
 * Times of short steps in one process: processor time, the least of some batches, since whatever else
 * runs only ever adds.
 */
const BATCHES = 15;
const BATCH_MS = 25;
const SUBMISSION = {
  model_name: 'llama-3-8b',
  task_id: 'order-4711',
  task_input: { prompt: 'x'.repeat(200) },
  metadata: { service_ms: 1_200, priority: 0 },
};

/** What a step cost, and what writing and reading a small JSON object did in the same moments. */
export interface StepCost {
  readonly micros: number;
  readonly echoMicros: number;
}

/** Times the step and the machine in turn. */
export function stepCost(step: () => void): StepCost {
  const steps = stepsFor(step);
  const echoes = stepsFor(echo);
  let micros = Number.POSITIVE_INFINITY;
  let echoMicros = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < BATCHES; batch++) {
    micros = Math.min(micros, costOf(step, steps));
    echoMicros = Math.min(echoMicros, costOf(echo, echoes));
  }
  return { micros, echoMicros };
}

/** What the machine is measured by: a submission as JSON, written and read. */
function echo(): void {
  JSON.parse(JSON.stringify(SUBMISSION));
}

/** How many steps a batch has. */
function stepsFor(step: () => void): number {
  let steps = 1;
  while (costOf(step, steps) * steps < BATCH_MS * 1_000) steps *= 2;
  return steps;
}

/** Processor time of one step, in µs. */
function costOf(step: () => void, steps: number): number {
  const before = process.cpuUsage();
  for (let n = 0; n < steps; n++) step();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / steps;
}
