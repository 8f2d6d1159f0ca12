import { hostname } from 'node:os';
import type { Registration } from './scheduler-client';

/** Asked for once: it is a system call, and every report carries it. */
const MACHINE = hostname();

/**
 * Who this worker is and what it serves, as others see it. Complete once it listens: port 0 is
 * resolved only then.
 */
export class WorkerIdentity {
  /** The model that is served. */
  model: string;
  private boundPort: number;

  constructor(private readonly given: Registration & { readonly id?: string }) {
    this.model = given.model_name;
    this.boundPort = given.port;
  }

  /** The port that is listened on is known now. */
  bind(port: number): void {
    this.boundPort = port;
  }

  /** The name that was given, else machine name and port: stable over restarts in one place. */
  get instanceId(): string {
    return this.given.id ?? `${MACHINE}-${this.boundPort}`;
  }

  /** What the scheduler is told. */
  get registration(): Registration {
    return { host: this.given.host, port: this.boundPort, model_name: this.model };
  }
}
