import { setTimeout as sleep } from 'node:timers/promises';
import type { DurableCluster } from './cluster';
import { databaseUrl } from './database';
import { lasting, type LedgerClient, type TestTask } from './ledger-client';
import type { OriginalWorker } from './original-worker';
import { QUICK, Scenario } from './scenario';
import type { SeededRandom } from './seeded-random';
import { ServicePair } from './service-pair';
import { until } from './until';
import { rowsOf, violationsIn, type Verdict } from './verdict';
import type { WorkerProcess } from './worker-process';
import { request } from 'undici';

/** Times of a chaos run: short ones, so that every kind of recovery comes often. */
export const CHAOS_SETTINGS = {
  ...QUICK,
  FORESAIL_MAX_ATTEMPTS: '100',
  FORESAIL_LEASE_MS: '3000',
  FORESAIL_LEASE_RENEW_MS: '700',
  FORESAIL_LEASE_MARGIN_MS: '700',
} as const;

/** Nothing may stand still for longer (RELIABILITY_MODEL, section 1). */
const STUCK_MS = 60_000;
/** Tasks that have to be accepted between two acts. */
const PROGRESS = 12;
/** So few that nothing stands still for `STUCK_MS` because no term lasts. */
const ACTS_BETWEEN_RESTS = 12;
const MODELS = ['reference', 'reporting', 'silent'] as const;
const DATABASE = 'foresail_test_chaos';

/** What a run is made of. */
export interface ChaosOptions {
  readonly cluster: DurableCluster;
  readonly random: SeededRandom;
  /** How many times something is killed, paused or cut. */
  readonly acts: number;
  /** Told of each act. */
  readonly tell: (line: string) => void;
}

/** What a run came to. */
export interface ChaosOutcome {
  readonly verdict: Verdict;
  /** How often each act was played. */
  readonly counts: ReadonlyMap<string, number>;
  /** Invariants that did not hold at some moment of the run. */
  readonly violations: readonly string[];
  /** Answers that no client should ever see. */
  readonly surprises: readonly string[];
}

type Act = () => Promise<void>;

/**
 * A fleet under load in which processes are killed and paused and connections cut, one after the
 * other and without waiting for the recovery of the one before: two services, two reference workers,
 * two original ones, a PostgreSQL with fsync on.
 */
export class ChaosRun {
  /** What can happen; what stands there twice happens twice as often. */
  private readonly acts: readonly (readonly [name: string, act: Act])[] = [
    ['kill -9 the leader', () => this.killLeader()],
    ['kill -9 the leader', () => this.killLeader()],
    ['kill -9 the standby', () => this.killStandby()],
    ['stop the leader', () => this.stopLeader()],
    ['pause the leader beyond its lease', () => this.pauseLeader()],
    ['kill -9 a worker', () => this.killWorker()],
    ['kill -9 a worker', () => this.killWorker()],
    ['drain a worker', () => this.drainWorker()],
    ['pause a worker', () => this.pauseWorker()],
    ['crash an original worker', () => this.crashOriginal()],
    ['cut off an original worker', () => this.deafenOriginal()],
    ['kill -9 PostgreSQL', () => this.killDatabase()],
    ['cut all connections to PostgreSQL', () => this.cutConnections()],
  ];
  /** Reference workers that are there, by name. */
  private readonly workers = new Map<string, WorkerProcess>();
  private readonly counts = new Map<string, number>();
  /** What is going on beside the next acts: restarts, the end of pauses. */
  private readonly underWay = new Set<Promise<unknown>>();
  /** What went wrong there. */
  private readonly mishaps: unknown[] = [];
  private readonly violations = new Set<string>();

  private constructor(
    private readonly options: ChaosOptions,
    private readonly scenario: Scenario,
    private readonly pair: ServicePair,
    private readonly client: LedgerClient,
    private readonly originals: Set<OriginalWorker>,
  ) {}

  /** Plays the acts, lets everything recover, and compares ledgers with the database. */
  static async play(options: ChaosOptions): Promise<ChaosOutcome> {
    const url = await options.cluster.createDatabase(DATABASE);
    const scenario = await Scenario.begin({ databaseUrl: url, env: CHAOS_SETTINGS });
    let pair: ServicePair | undefined;
    try {
      pair = await ServicePair.start(scenario);
      const { address } = pair;
      const common = { replicas: 2, scheduler: () => address.url };
      const originals = [
        await scenario.original({ ...common, model: 'reporting' }),
        await scenario.original({ ...common, model: 'silent', reporting: 'never' }),
      ];
      const client = await scenario.client(pair.urls);
      const run = new ChaosRun(options, scenario, pair, client, new Set(originals));
      await run.startWorker('reference-1', '0');
      await run.startWorker('reference-2', '0');
      return await run.play();
    } finally {
      await pair?.close();
      await scenario.close();
    }
  }

  private async play(): Promise<ChaosOutcome> {
    let isOver = false;
    const load = this.client.submitAll({
      make: (n) => (isOver ? null : this.taskOf(n)),
      concurrency: 6,
      restMs: 100,
    });
    try {
      for (let acts = 0; acts < this.options.acts; acts += 1) {
        await this.progress();
        if (acts % ACTS_BETWEEN_RESTS === ACTS_BETWEEN_RESTS - 1) await this.rest();
        await this.playOne();
      }
      await until(() => this.isQuiet, 'the end of all restarts and pauses', STUCK_MS);
      await this.progress();
    } finally {
      isOver = true;
    }
    await load;
    await this.scenario.settled();
    return {
      verdict: await this.scenario.verdict(),
      counts: this.counts,
      violations: [...this.violations],
      surprises: this.client.surprises,
    };
  }

  /** True when nothing goes on beside the acts. @throws {AggregateError} what went wrong there */
  private get isQuiet(): boolean {
    const said = this.mishaps.map(String).join('\n');
    if (said !== '') throw new AggregateError(this.mishaps, `a restart failed: ${said}`);
    return this.underWay.size === 0;
  }

  /**
   * Lets a term last. Whether an original worker has an attempt that was being sent is waited out in
   * one term; where no term lasts as long as that, nothing can be known.
   */
  private async rest(): Promise<void> {
    await until(() => this.isQuiet, 'the end of all restarts and pauses', STUCK_MS);
    await this.progress();
    await sleep(Number(CHAOS_SETTINGS.FORESAIL_AMBIGUITY_MS) + 1_000);
  }

  private async playOne(): Promise<void> {
    const [name, act] = this.oneOf(this.acts);
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    this.options.tell(name);
    await act();
  }

  /** Waits until more tasks are accepted, and looks at the invariants. */
  private async progress(): Promise<void> {
    const { length } = await this.client.accepted();
    const isFurther = async (): Promise<boolean> =>
      (await this.client.accepted()).length >= length + PROGRESS;
    await until(isFurther, `${PROGRESS} more accepted tasks`, STUCK_MS);
    // PostgreSQL may have been killed a moment ago; the end of the run looks again.
    const broken = await violationsIn(this.scenario.databaseUrl).catch(() => []);
    for (const violation of broken) this.violations.add(violation);
  }

  private taskOf(n: number): TestTask {
    const { random } = this.options;
    const model = MODELS[n % MODELS.length] ?? 'reference';
    const isLong = random.next() < 0.05;
    const serviceMs = Math.round(random.next() * (isLong ? 3_000 : 120));
    const taskId = `chaos-${n}`;
    return { taskId, model, input: { taskId, serviceMs }, metadata: lasting(serviceMs) };
  }

  // --- services --------------------------------------------------------------------------------

  private async killLeader(): Promise<void> {
    const { leader } = this.pair;
    await leader.kill();
    await this.pair.replace(leader);
  }

  private async killStandby(): Promise<void> {
    const { standby } = this.pair;
    await standby.kill();
    await this.pair.replace(standby);
  }

  private async stopLeader(): Promise<void> {
    const { leader } = this.pair;
    await leader.stop();
    await this.pair.replace(leader);
  }

  private pauseLeader(): Promise<void> {
    const { child } = this.pair.leader;
    child.kill('SIGSTOP');
    this.later(this.between(3_000, 6_000), () => child.kill('SIGCONT'));
    return Promise.resolve();
  }

  // --- workers ---------------------------------------------------------------------------------

  private async killWorker(): Promise<void> {
    const [name, worker] = await this.takeWorker();
    worker.kill('SIGKILL');
    this.restartWorker(name, worker);
  }

  private async drainWorker(): Promise<void> {
    const [name, worker] = await this.takeWorker();
    worker.kill('SIGTERM');
    this.restartWorker(name, worker);
  }

  private async pauseWorker(): Promise<void> {
    await until(() => this.workers.size > 0, 'a worker that is there', STUCK_MS);
    const [, worker] = this.oneOf([...this.workers]);
    worker.kill('SIGSTOP');
    this.later(this.between(500, 5_000), () => worker.kill('SIGCONT'));
  }

  private async crashOriginal(): Promise<void> {
    const worker = await this.takeOriginal();
    await worker.crash();
    this.later(this.between(100, 4_000), () => this.bringBack(worker, true));
  }

  private async deafenOriginal(): Promise<void> {
    const worker = await this.takeOriginal();
    await worker.goDeaf();
    this.later(this.between(100, 5_000), () => this.bringBack(worker, false));
  }

  /** One that no other act is busy with. */
  private async takeWorker(): Promise<[string, WorkerProcess]> {
    await until(() => this.workers.size > 0, 'a worker that is there', STUCK_MS);
    const taken = this.oneOf([...this.workers]);
    this.workers.delete(taken[0]);
    return taken;
  }

  private async takeOriginal(): Promise<OriginalWorker> {
    await until(() => this.originals.size > 0, 'an original worker that is there', STUCK_MS);
    const taken = this.oneOf([...this.originals]);
    this.originals.delete(taken);
    return taken;
  }

  /** A worker that has restarted registers again, until somebody leads. */
  private async bringBack(worker: OriginalWorker, isNew: boolean): Promise<void> {
    await worker.comeUp();
    this.originals.add(worker);
    if (isNew) await this.register(worker);
  }

  private async register(worker: OriginalWorker): Promise<void> {
    let refusal: unknown;
    const registered = (): Promise<boolean> =>
      worker.register().then(
        () => true,
        (error: unknown) => {
          refusal = error;
          return false;
        },
      );
    const what = `the registration of ${worker.name}`;
    await until(registered, what, STUCK_MS).catch(async (error: unknown) => {
      const health = await Promise.all(this.pair.urls().map(healthAt));
      const said = [`${what}: ${String(refusal)}`, ...health].join('\n');
      throw new AggregateError([error, refusal], said);
    });
  }

  private restartWorker(name: string, worker: WorkerProcess): void {
    const { port } = new URL(worker.url);
    this.later(this.between(0, 4_000), async () => {
      await worker.ended();
      await this.startWorker(name, port);
    });
  }

  private async startWorker(name: string, port: string): Promise<void> {
    const flags = [
      '--replicas',
      '3',
      '--log-level',
      'warn',
      '--port',
      port,
      '--drain-timeout',
      '5',
    ];
    const { url } = this.pair.address;
    const worker = await this.scenario.worker(name, 'reference', ...flags, '--scheduler', url);
    this.workers.set(name, worker);
  }

  // --- PostgreSQL ------------------------------------------------------------------------------

  private async killDatabase(): Promise<void> {
    const { cluster } = this.options;
    await cluster.kill();
    await sleep(this.between(0, 2_000));
    await cluster.start();
  }

  private async cutConnections(): Promise<void> {
    await rowsOf(
      databaseUrl(this.scenario.databaseUrl, 'postgres'),
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`,
      [DATABASE],
    );
  }

  // --- chance and time -------------------------------------------------------------------------

  private oneOf<T>(things: readonly T[]): T {
    const chosen = things[Math.floor(this.options.random.next() * things.length)];
    if (chosen === undefined) throw new Error('there is nothing to choose from');
    return chosen;
  }

  private between(least: number, most: number): number {
    return least + this.options.random.next() * (most - least);
  }

  /** Does something beside the acts that follow; the run waits for it before it ends. */
  private later(delayMs: number, work: () => unknown): void {
    const done: Promise<unknown> = sleep(delayMs)
      .then(work)
      .catch((error: unknown) => this.mishaps.push(error))
      .finally(() => this.underWay.delete(done));
    this.underWay.add(done);
  }
}

/** What a service says of itself, for whoever asks why nobody leads. */
async function healthAt(url: string): Promise<string> {
  try {
    const { statusCode, body } = await request(`${url}/health`);
    return `${url}: ${statusCode} ${await body.text()}`;
  } catch (error) {
    return `${url}: ${String(error)}`;
  }
}
