/** Engines that exist. */
export const ENGINES = ['simulated'] as const;
/** Name of an engine that exists. */
export type EngineName = (typeof ENGINES)[number];

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
  readonly engine: EngineName;
  /** Tasks executed at the same time. */
  readonly replicas: number;
  /** How much faster than speed 1 the simulated machine is. */
  readonly speed: number;
  /** How many times faster than real time the simulated engine sleeps. */
  readonly timeScale: number;
  readonly seed: number;
  /** File that gets one JSON line per execution. */
  readonly ledger?: string;
  /** How long a worker that is told to end goes on with what it has, ms. */
  readonly drainTimeoutMs: number;
  readonly logLevel: LogLevel;
}
