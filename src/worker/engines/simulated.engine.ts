import { createHash } from 'node:crypto';
import { setImmediate as yieldOnce, setTimeout as sleep } from 'node:timers/promises';
import { amount } from '../amount';
import { canonicalJson } from '../canonical-json';
import type { Engine, EngineOutcome, EngineTask, ServiceEstimate } from '../engine';
import type { JsonObject } from '../../http/dto-fields';
import { jsonText } from '../../http/json-text';
import { reportFault } from '../reportable';
import { NOISE_SIGMA, serviceNoise, tokenServiceMs } from '../../ops/token-service';

/** How the simulated engine behaves. */
export interface SimulatedEngineOptions {
  /** How much faster than speed 1 this machine is; above 0. */
  readonly speed: number;
  /** How many times faster than real time the sleeping is; above 0. */
  readonly timeScale: number;
  /** Seed of the noise: the same seed and task give the same service time, in any order. */
  readonly seed: number;
}

/** Longest sleep of one timer in Node, ms. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;
/** An input up to this length of canonical JSON comes back in the result. */
const ECHO_LIMIT = 1024;

/** A service time in ms of simulated time, and how sure it is; or why there is none. */
type ServiceTime =
  | { readonly ok: true; readonly meanMs: number; readonly noisy: boolean }
  | { readonly ok: false; readonly error: string };

/**
 * Pretends to work: sleeps for the task's service time and answers with a digest of its input.
 *
 * The service time is `metadata.service_ms` when it is there, else
 * `0.03 + 0.00025·input_tokens + 0.025·output_tokens` seconds (a missing count is 0) times
 * log-normal noise with mean 1 and sigma 0.1; either is divided by the speed. The sleep is that
 * divided by the time scale. `metadata.fail` (a string) makes the execution fail with that message
 * at its end.
 *
 * The result: `input_sha256` (SHA-256 of the canonical JSON of the input), `output` (the input
 * itself, when its canonical JSON is at most 1 KiB long and not too deep for a report), `engine` and `service_ms` (simulated).
 */
export class SimulatedEngine implements Engine {
  readonly name = 'simulated';
  readonly outage = null;

  constructor(private readonly options: SimulatedEngineOptions) {}

  get speed(): number {
    return this.options.speed;
  }

  async run(task: EngineTask, signal: AbortSignal): Promise<EngineOutcome> {
    const time = serviceTime(task.metadata);
    if (!time.ok) return time;
    const serviceMs = (time.meanMs * this.noise(task.id, time.noisy)) / this.options.speed;
    const sleepMs = Math.round(serviceMs / this.options.timeScale);
    if (sleepMs > LONGEST_SLEEP_MS) {
      const error = `a sleep of ${sleepMs} ms is longer than the ${LONGEST_SLEEP_MS} ms that can be simulated`;
      return { ok: false, error };
    }
    // A task that takes no time still gives way: a long queue of such tasks must not stall the rest.
    if (sleepMs > 0) await sleep(sleepMs, undefined, { signal });
    else await yieldOnce();
    const fail = task.metadata['fail'];
    if (typeof fail === 'string') return { ok: false, error: fail };
    return { ok: true, result: this.result(task.input, serviceMs) };
  }

  estimate(task: EngineTask): ServiceEstimate {
    const time = serviceTime(task.metadata);
    if (!time.ok) return { expectedMs: 0, errorMs: 0 };
    const expectedMs = time.meanMs / this.options.speed / this.options.timeScale;
    return { expectedMs, errorMs: time.noisy ? expectedMs * NOISE_SIGMA : 0 };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private result(input: JsonObject, serviceMs: number): JsonObject {
    const text = canonicalJson(input);
    const digest = createHash('sha256').update(text).digest('hex');
    return {
      ...(text.length <= ECHO_LIMIT && isReportable(input) ? { output: input } : {}),
      input_sha256: digest,
      engine: this.name,
      service_ms: serviceMs,
    };
  }

  private noise(taskId: string, noisy: boolean): number {
    return noisy ? serviceNoise(`${this.options.seed}/${taskId}`) : 1;
  }
}

/** An input may be nested as deep as a report may be: its echo would be too deep by a level. */
function isReportable(input: JsonObject): boolean {
  return reportFault(jsonText({ output: input })) === undefined;
}

function serviceTime(metadata: JsonObject): ServiceTime {
  const given = amount(metadata, 'service_ms');
  if (!given.ok) return given;
  if (given.value !== undefined) return { ok: true, meanMs: given.value, noisy: false };
  const input = amount(metadata, 'input_tokens');
  if (!input.ok) return input;
  const output = amount(metadata, 'output_tokens');
  if (!output.ok) return output;
  return { ok: true, meanMs: tokenServiceMs(input.value ?? 0, output.value ?? 0), noisy: true };
}
