import type { NonEmpty } from '../core/units';

/** Which engine executes tasks, and what only that one needs. */
export type EngineOptions = SimulatedChoice | CommandChoice | OpenAiChoice;
/** Name of an engine that exists. */
export type EngineName = EngineOptions['name'];
/** Engines that exist, the default first. */
export const ENGINES: NonEmpty<EngineName> = ['simulated', 'command', 'openai'];

/** Tasks are slept through. */
export interface SimulatedChoice {
  readonly name: 'simulated';
  /** How many times faster than real time the sleeping is. */
  readonly timeScale: number;
  /** Seed of the noise on service times. */
  readonly seed: number;
}

/** Each task is given to a process of its own. */
export interface CommandChoice {
  readonly name: 'command';
  /** The program and its arguments. */
  readonly argv: NonEmpty<string>;
  /** Environment of the processes, beside the ids of the task. */
  readonly environment: Readonly<Record<string, string>>;
  /** How long a process that is told to end may take before it is killed, ms. */
  readonly killGraceMs: number;
}

/** Each task is a call to a server that speaks the OpenAI API. */
export interface OpenAiChoice {
  readonly name: 'openai';
  /** Base URL of the server, as in `http://127.0.0.1:11434/v1`. */
  readonly url: string;
  /** The server's name of the model; null: the one that the worker serves. */
  readonly model: string | null;
  /** Sent as a bearer token; null: none. */
  readonly apiKey: string | null;
}

/** Replicas that one worker process can have: more is a slip of the keyboard. */
export const MOST_REPLICAS = 1000;

/** Levels of the log, quietest last. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
/** Level from which on lines are written. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Everything that a worker is started with; already validated. */
export interface WorkerOptions {
  /** Base URL of the scheduler; absent: the worker serves without registering or reporting. */
  readonly schedulerUrl?: string;
  /** Sent to the scheduler when it demands one. */
  readonly key?: string;
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
  /** Host that the scheduler is told to call. */
  readonly advertise: string;
  /** CIDR blocks from which calls are taken, beside this machine itself. */
  readonly trustedNetworks: readonly string[];
  /** Name in `/status` and in reports; default: machine name and port. */
  readonly id?: string;
  readonly model: string;
  readonly engine: EngineOptions;
  /** Tasks executed at the same time. */
  readonly replicas: number;
  /** How much faster than speed 1 this machine is. */
  readonly speed: number;
  /** Longest execution of a task, ms; `metadata.timeout_ms` can only shorten it. Not simulated. */
  readonly taskTimeoutMs: number;
  /** Largest result of a task as JSON text, bytes. */
  readonly resultLimitBytes: number;
  /** File that gets one JSON line per execution. */
  readonly ledger?: string;
  /** How long a worker that is told to end goes on with what it has, ms. */
  readonly drainTimeoutMs: number;
  readonly logLevel: LogLevel;
}
