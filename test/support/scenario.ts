import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase } from './database';
import { LedgerClient } from './ledger-client';
import { OriginalWorker, type OriginalWorkerOptions } from './original-worker';
import { ServiceProcess } from './service-process';
import { until } from './until';
import { openWork, openWorkInWords, verdictOf, type Execution, type Verdict } from './verdict';
import { WorkerProcess } from './worker-process';

/**
 * Short times, so that tests of silence and doubt take seconds. Each is one of the settings. Those
 * of calls are long enough for a busy machine: an answer that is late there would be a lost one.
 */
export const QUICK = {
  FORESAIL_STATUS_POLL_MS: '400',
  FORESAIL_SUSPECT_MS: '1500',
  FORESAIL_LOST_MS: '3000',
  FORESAIL_CONNECT_MS: '2000',
  FORESAIL_ENQUEUE_MS: '3000',
  FORESAIL_AMBIGUITY_MS: '3500',
  FORESAIL_RESULT_POLL_MOST_MS: '500',
  FORESAIL_RESULT_PATIENCE_MS: '1500',
  FORESAIL_BACKOFF_FIRST_MS: '50',
  FORESAIL_BACKOFF_MOST_MS: '500',
  FORESAIL_CIRCUIT_FIRST_MS: '500',
  FORESAIL_CIRCUIT_MOST_MS: '2000',
  FORESAIL_QUARANTINE_FIRST_MS: '1000',
  FORESAIL_QUARANTINE_MOST_MS: '4000',
} as const;

/** Where a scenario plays. */
export interface ScenarioOptions {
  /** Default: a fresh database on the server of the test run. It is dropped in the end. */
  readonly databaseUrl?: string;
  /** Settings of every service. Default: those of `QUICK`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** One database, the services and workers on it, and a folder for everybody's ledgers. */
export class Scenario {
  readonly services: ServiceProcess[] = [];
  readonly originals: OriginalWorker[] = [];
  private readonly workers: WorkerProcess[] = [];
  private readonly ledgers: string[] = [];
  private readonly clients: LedgerClient[] = [];
  private port = 0;

  private constructor(
    readonly folder: string,
    readonly databaseUrl: string,
    private readonly env: Readonly<Record<string, string>>,
    private readonly drop: () => Promise<void>,
  ) {}

  static async begin({ databaseUrl, env = QUICK }: ScenarioOptions = {}): Promise<Scenario> {
    const folder = await mkdtemp(join(tmpdir(), 'foresail-e2e-'));
    if (databaseUrl !== undefined) {
      return new Scenario(folder, databaseUrl, env, () => Promise.resolve());
    }
    const { url, drop } = await freshDatabase();
    return new Scenario(folder, url, env, drop);
  }

  /** Where the services are: the address stays when one takes the place of another. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts a service in the place of the one before it, and waits until it is up. */
  async serve(env: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
    const service = await this.serveAt(this.port, env);
    this.port = service.port;
    return service;
  }

  /** Starts a service at a port of its own. */
  async serveAt(
    port: number,
    env: Readonly<Record<string, string>> = {},
    databaseUrl = this.databaseUrl,
  ): Promise<ServiceProcess> {
    const all = { ...this.env, ...env };
    const service = ServiceProcess.spawn({ databaseUrl, port, env: all });
    this.services.push(service);
    await until(() => service.isUp || service.hasEnded, 'the service to start', 60_000);
    if (!service.isUp) throw new Error(`the service ended:\n${service.log}`);
    return service;
  }

  /** Starts a reference worker with a ledger; the same name again goes on with the same ledger. */
  async worker(name: string, model: string, ...flags: string[]): Promise<WorkerProcess> {
    const ledger = join(this.folder, `${name}.jsonl`);
    if (!this.ledgers.includes(ledger)) this.ledgers.push(ledger);
    const own = ['--id', name, '--model', model, '--ledger', ledger, '--scheduler', this.url];
    const worker = await WorkerProcess.start(...own, ...flags);
    this.workers.push(worker);
    return worker;
  }

  /** Starts a reference worker that knows no scheduler. */
  async loneWorker(model: string, ...flags: string[]): Promise<WorkerProcess> {
    const worker = await WorkerProcess.start('--model', model, ...flags);
    this.workers.push(worker);
    return worker;
  }

  /** Starts an original worker and registers it; default: where the services are. */
  async original(
    options: Omit<OriginalWorkerOptions, 'scheduler'> & Partial<OriginalWorkerOptions>,
  ): Promise<OriginalWorker> {
    const worker = await OriginalWorker.start({ scheduler: () => this.url, ...options });
    this.originals.push(worker);
    await worker.register();
    return worker;
  }

  /** @param urls where it submits; default: the address of the services */
  async client(urls: () => readonly string[] = () => [this.url]): Promise<LedgerClient> {
    const path = join(this.folder, `client-${this.clients.length}.jsonl`);
    const client = await LedgerClient.open(path, urls);
    this.clients.push(client);
    return client;
  }

  /** Waits until that many instances are registered. */
  async registered(count: number): Promise<void> {
    const leader = this.services.at(-1);
    const known = async (): Promise<number> => {
      const { body } = (await leader?.get('/queue/info')) ?? { body: { queues: [] } };
      return (body as { queues: unknown[] }).queues.length;
    };
    await until(async () => (await known()) === count, `${count} registrations`);
  }

  /** Executions that are in any ledger of a worker. */
  async executions(): Promise<readonly Execution[]> {
    const texts = await Promise.all(this.ledgers.map((path) => readFile(path, 'utf8')));
    const entries = texts.flatMap((text) => text.split('\n').flatMap(entryIn));
    return [...entries, ...this.originals.flatMap(({ executions }) => executions)];
  }

  /**
   * Waits until no task is open and no attempt occupies a worker. How long that takes depends on
   * the machine; that nothing ends for so long does not.
   */
  async settled(standstillMs = 60_000): Promise<void> {
    let open = await openWork(this.databaseUrl);
    const amount = (): number => open.tasks + open.attempts;
    try {
      while (amount() > 0) {
        const before = amount();
        const isFurther = async (): Promise<boolean> => {
          open = await openWork(this.databaseUrl);
          return amount() < before;
        };
        await until(isFurther, 'the end of another task', standstillMs);
      }
    } catch (error) {
      const words = await openWorkInWords(this.databaseUrl);
      const alive = this.services.filter(({ hasEnded }) => !hasEnded);
      const logs = alive.map(({ log }) => log.slice(-3_000)).join('\n---\n');
      const message = `${JSON.stringify(open)} are still open:\n${words}\n${logs}`;
      throw new Error(message, { cause: error });
    }
  }

  /** Compares the ledgers of all clients and workers with the database. */
  async verdict(): Promise<Verdict> {
    const accepted = await Promise.all(this.clients.map((client) => client.accepted()));
    const { databaseUrl } = this;
    return verdictOf({
      databaseUrl,
      accepted: accepted.flat(),
      executions: await this.executions(),
    });
  }

  /** Ends everything that it started, by force. */
  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await Promise.all(this.services.map((service) => service.kill()));
    for (const worker of this.workers) worker.kill('SIGKILL');
    await Promise.all(this.workers.map((worker) => worker.ended()));
    await Promise.all(this.originals.map((worker) => worker.crash()));
    await this.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A killed worker may leave half a line, which counts for nothing: nobody was told of it. */
function entryIn(line: string): Execution[] {
  try {
    return [JSON.parse(line) as Execution];
  } catch {
    return [];
  }
}
