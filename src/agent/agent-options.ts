import type { NonEmpty } from '../core/units';

/** Everything that an agent is started with; already validated. */
export interface AgentOptions {
  /** Base URL of the scheduler. */
  readonly schedulerUrl: string;
  /** Sent to the scheduler when it demands one. */
  readonly key?: string;
  /** Whom it speaks for. */
  readonly speaksFor: WorkerFacts | HostFacts;
  /** Time between heartbeats, ms; each is up to a tenth shorter or longer. */
  readonly intervalMs: number;
  readonly logLevel: string;
}

/** A worker that only asks for placement (contracts/dtask.md). */
export interface WorkerFacts {
  readonly kind: 'worker';
  readonly id: string;
  /** Where clients reach it, as in `10.0.0.5:9000`. */
  readonly address: string;
  readonly tags: readonly string[];
  readonly maxTasks: number;
  /** What tasks may reserve; null: nothing. */
  readonly resources: {
    readonly cpu: number;
    readonly memoryGb: number;
    readonly gpuMemoryGb: number;
  } | null;
  /** Where it learns which tasks it has; null: it says that it has none. */
  readonly load: LoadChoice | null;
}

/** Where the load of a worker is read anew before each heartbeat. */
export type LoadChoice =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'command';
      /** The program and its arguments. */
      readonly argv: NonEmpty<string>;
      readonly environment: Readonly<Record<string, string>>;
    };

/** A host of batch jobs (contracts/apr.md). */
export interface HostFacts {
  readonly kind: 'host';
  readonly id: string;
  /** What it is registered with; null: somebody else registers it. */
  readonly registration: HostRegistration | null;
}

/** What a host is registered with; the scheduler has defaults for what is absent. */
export interface HostRegistration {
  readonly slots?: number;
  readonly cpu?: number;
  readonly memoryGb?: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** Command that leads there. */
  readonly prefix?: string;
}
