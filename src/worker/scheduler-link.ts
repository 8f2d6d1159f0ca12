import type { Logger } from 'pino';
import type { Clock, Random } from '../core/ports';
import { Registrar } from './registrar';
import { Reporter } from './reporter';
import { SchedulerClient } from './scheduler-client';
import type { WorkerIdentity } from './worker-identity';

/** Injection token of the `SchedulerLink`, null in a worker that belongs to no scheduler. */
export const SCHEDULER_LINK = Symbol('SchedulerLink');

/** The scheduler that a worker belongs to: connections, registration and reports. */
export interface SchedulerLink {
  readonly client: SchedulerClient;
  readonly registrar: Registrar;
  readonly reporter: Reporter;
}

/** What a link is made of. */
export interface LinkParts {
  /** Base URL of the scheduler. */
  readonly url: string;
  readonly key?: string;
  readonly identity: WorkerIdentity;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Nothing is sent before `registrar.register()`. */
export function schedulerLink(parts: LinkParts): SchedulerLink {
  const { url, key, identity, clock, random, log } = parts;
  const client = new SchedulerClient(url, key);
  const registrar = new Registrar(client, () => identity.registration, clock, random, log);
  const reporter = new Reporter(client, clock, random, log, () => registrar.doubt());
  return { client, registrar, reporter };
}
