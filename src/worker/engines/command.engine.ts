import type { NonEmpty } from '../../core/units';
import type { JsonObject } from '../../http/dto-fields';
import { jsonText } from '../../http/json-text';
import { parseJson } from '../../http/parse-json';
import type { Engine, EngineOutcome, EngineTask, ServiceEstimate } from '../engine';
import { ServiceTimes } from '../service-times';
import { timeLimitOf } from '../time-limit';
import { CommandRun, type CommandEnd } from '../../ops/command-run';

/** How the command engine behaves. */
export interface CommandEngineOptions {
  /** The program and its arguments. */
  readonly argv: NonEmpty<string>;
  /** Environment of the processes, beside the ids of the task. */
  readonly environment: Readonly<Record<string, string>>;
  /** Work per ms. */
  readonly speed: number;
  /** Longest execution, ms; `metadata.timeout_ms` can only shorten it. */
  readonly taskTimeoutMs: number;
  /** How long a process that is told to end may take before it is killed, ms. */
  readonly killGraceMs: number;
  /** Largest standard output, bytes. */
  readonly resultLimitBytes: number;
}

const SHOWN_OUTPUT = 200;

/**
 * Gives each task to a process of its own: the task input comes as JSON on its standard input, the
 * result is the one JSON value that it prints. An object is the result as it is; any other value
 * becomes `{"output": value}`. In its environment it finds `TASK_ID` and `TASK_DISPATCH_ID`.
 *
 * An exit code other than 0, a signal, a timeout, and an output that is no JSON or too large fail
 * the task. No process outlives its task: the whole process group is killed at its end, and all of
 * them when this process exits.
 */
export class CommandEngine implements Engine {
  readonly name = 'command';
  readonly outage = null;
  private readonly runs = new Set<CommandRun>();
  private readonly times: ServiceTimes;
  // Also on a second signal, or when the ledger fails: whatever way this process exits.
  private readonly killAll = (): void => {
    for (const run of this.runs) run.kill();
  };

  constructor(private readonly options: CommandEngineOptions) {
    this.times = new ServiceTimes(options.speed);
    process.on('exit', this.killAll);
  }

  get speed(): number {
    return this.options.speed;
  }

  async run(task: EngineTask, signal: AbortSignal): Promise<EngineOutcome> {
    const limit = timeLimitOf(task, this.options.taskTimeoutMs);
    if (!limit.ok) return limit;
    const startedAt = performance.now();
    const run = this.start(task, limit.value);
    const giveUp = (): void => run.kill();
    signal.addEventListener('abort', giveUp, { once: true });
    this.runs.add(run);
    const end = await run.ended;
    this.runs.delete(run);
    signal.removeEventListener('abort', giveUp);
    signal.throwIfAborted();
    const outcome = outcomeOf(end, limit.value, this.options.resultLimitBytes);
    if (outcome.ok) this.times.learn(performance.now() - startedAt);
    return outcome;
  }

  estimate(task: EngineTask): ServiceEstimate {
    return this.times.estimate(task);
  }

  async close(): Promise<void> {
    this.killAll();
    await Promise.all([...this.runs].map((run) => run.ended));
    process.off('exit', this.killAll);
  }

  private start({ id, dispatchId, input }: EngineTask, timeoutMs: number): CommandRun {
    const { argv, killGraceMs: graceMs, resultLimitBytes: outputBytes } = this.options;
    const ids = { TASK_ID: id, ...(dispatchId === null ? {} : { TASK_DISPATCH_ID: dispatchId }) };
    const environment = { ...this.options.environment, ...ids };
    const spec = { argv, environment, input: jsonText(input) };
    return new CommandRun(spec, { timeoutMs, graceMs, outputBytes });
  }
}

function outcomeOf(end: CommandEnd, timeoutMs: number, limitBytes: number): EngineOutcome {
  switch (end.kind) {
    case 'not_started':
      return { ok: false, error: `the command could not be started: ${end.reason}` };
    case 'timed_out':
      return { ok: false, error: withComplaint(`timed out after ${timeoutMs} ms`, end.complaint) };
    case 'too_much_output':
      return {
        ok: false,
        error: `result too large: more than ${limitBytes} bytes on standard output`,
      };
    case 'exited': {
      const { code, signal, complaint } = end;
      if (code === 0) return resultOf(end.output, complaint);
      const how = code === null ? `by ${signal ?? 'a signal'}` : `with exit code ${code}`;
      return { ok: false, error: withComplaint(`the command ended ${how}`, complaint) };
    }
  }
}

function resultOf(output: Buffer, complaint: string): EngineOutcome {
  const needed = 'one JSON value on standard output is needed';
  if (output.toString('latin1').trim() === '') {
    return { ok: false, error: withComplaint(`the command printed nothing; ${needed}`, complaint) };
  }
  try {
    const { value } = parseJson(output, 'the output of the command');
    return { ok: true, result: isObject(value) ? value : { output: value } };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const shown = JSON.stringify(output.toString('utf8', 0, SHOWN_OUTPUT));
    return { ok: false, error: withComplaint(`${why}; ${needed}. It begins ${shown}`, complaint) };
  }
}

function withComplaint(message: string, complaint: string): string {
  return complaint === '' ? message : `${message}; last lines of its standard error:\n${complaint}`;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
