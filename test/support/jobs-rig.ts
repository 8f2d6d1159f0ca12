import { existsSync, readFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext, Type } from '@nestjs/common';
import type { NestApplicationContextOptions } from '@nestjs/common/interfaces/nest-application-context-options.interface';
import { Client } from 'pg';
import { AppModule } from '../../src/app.module';
import { loadConfig } from '../../src/config/load-config';
import { Fleet } from '../../src/core/fleet';
import type { Instance } from '../../src/core/instance';
import { BATCH_QUEUE } from '../../src/core/queue';
import type { Task, TaskDraft } from '../../src/core/task';
import { taskId, type TaskId } from '../../src/core/units';
import { HostsService } from '../../src/instances/hosts.service';
import { storeOf } from '../../src/leading-app';
import { JobPlaces } from '../../src/ops/job-places';
import { createLogger } from '../../src/ops/logging';
import { systemClock, systemIds } from '../../src/ops/system';
import { WakeupBell } from '../../src/ops/wakeup';
import { TASK_JOURNAL, type TaskJournal } from '../../src/persistence/task-journal';
import { LookupReloader } from '../../src/predictions/lookup-reloader';
import { BUILT_IN, StrategyRegistry } from '../../src/strategies/strategy.registry';
import { Dispatcher } from '../../src/queues/dispatcher';
import { PayloadCache } from '../../src/tasks/payload-cache';
import { TaskLifecycle } from '../../src/tasks/task-lifecycle';
import { TaskRecorder } from '../../src/tasks/task-recorder';
import { draftOf, exactly } from './builders';
import { commandsIn } from './commands';
import { freshDatabase, type TestDatabase } from './database';
import { endMarked } from './marked';
import { removeScratch, scratchDirectory } from './scratch';
import { until } from './until';

const SILENT: Partial<NestApplicationContextOptions> = { logger: false };

/** A job of a test. */
export interface JobOrder {
  readonly command: string;
  readonly workdir?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly retryLimit?: number;
  readonly draft?: Partial<TaskDraft>;
}

/** A job as its row has it. */
export interface JobRow {
  readonly state: string;
  readonly result: { readonly exit_code: number } | null;
  readonly failure_kind: string | null;
  readonly failure_message: string | null;
  readonly retries: number;
  readonly attempt_no: number;
}

/** One database, one folder, and terms of leadership on them, one after the other. */
export class JobsRig {
  private app: INestApplicationContext | undefined;
  private epoch = 0;

  private constructor(
    readonly folder: string,
    private readonly database: TestDatabase,
    private readonly client: Client,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async open(env: Readonly<Record<string, string>> = {}): Promise<JobsRig> {
    const folder = await scratchDirectory();
    await chmod(folder, 0o777);
    const database = await freshDatabase();
    const client = new Client({ connectionString: database.url, application_name: 'tests' });
    await client.connect();
    return new JobsRig(folder, database, client, { ...commandsIn(folder), ...env });
  }

  /** Begins the next term, with whatever the rows say. */
  async begin(): Promise<void> {
    const epoch = ++this.epoch;
    await this.client.query('UPDATE leadership SET epoch = $1', [epoch]);
    const config = loadConfig({ env: this.env });
    const logger = createLogger({ level: 'silent', readable: false });
    const options = {
      config,
      databaseUrl: this.database.url,
      term: { epoch, end: (): void => undefined },
      ownEndpoints: [],
      strategies: new StrategyRegistry(BUILT_IN),
      lookup: LookupReloader.open(undefined, logger),
      logger,
    };
    const store = storeOf(options);
    await store.journal.start();
    const module = AppModule.forTerm(options, store);
    this.app = await NestFactory.createApplicationContext(module, SILENT);
  }

  /** Ends the term; what runs, runs on. */
  async end(): Promise<void> {
    const journal = this.app && this.get<TaskJournal>(TASK_JOURNAL);
    await journal?.stop();
    await this.app?.close();
    this.app = undefined;
  }

  get<T>(token: Type<T> | symbol): T {
    if (!this.app) throw new Error('no term has begun');
    return this.app.get<T>(token, { strict: false });
  }

  get fleet(): Fleet {
    return this.get(Fleet);
  }

  get lifecycle(): TaskLifecycle {
    return this.get(TaskLifecycle);
  }

  host(hostId: string, slots = 2, executorPrefix = ''): Promise<Instance> {
    const size = { slots, cpu: slots, memoryGb: 2 * slots };
    return this.get(HostsService).register({
      hostId,
      size,
      labels: { rack: hostId },
      executorPrefix,
    });
  }

  async query(text: string): Promise<void> {
    await this.client.query(text);
  }

  /** Submits a job as the service does. */
  async submit(order: JobOrder): Promise<Task> {
    const task = await this.admit(order);
    this.get(WakeupBell).signal();
    return task;
  }

  /** Submits and reserves a job, which is not sent: as when the scheduler is killed just then. */
  async reserve(order: JobOrder): Promise<Task> {
    await this.get(Dispatcher).stop();
    const task = await this.admit(order);
    await this.get(TaskRecorder).record(this.fleet.placeWaiting(1).changes);
    return task;
  }

  private async admit({
    command,
    workdir = '.',
    env = {},
    retryLimit = 0,
    draft,
  }: JobOrder): Promise<Task> {
    const submission = this.fleet.submit(
      draftOf({
        id: taskId(systemIds.next()),
        kind: 'batch',
        queue: BATCH_QUEUE,
        submittedAt: systemClock.now(),
        job: { labels: {}, tool: '', tokens: 1, retryLimit },
        prediction: exactly(1_000),
        attemptTimeoutMs: Infinity,
        ...draft,
      }),
    );
    if (submission.kind !== 'accepted') throw new Error(`the job was ${submission.kind}`);
    const { task, changes } = submission;
    const payload = { taskInput: JSON.stringify({ command, workdir, env }), metadata: '{}' };
    await this.get<TaskJournal>(TASK_JOURNAL).submit(changes, payload);
    this.get(PayloadCache).put(task.id, payload);
    return task;
  }

  async row(id: TaskId): Promise<JobRow> {
    const { rows } = await this.client.query<JobRow>('SELECT * FROM tasks WHERE id = $1', [id]);
    const [row] = rows;
    if (!row) throw new Error(`no task ${id}`);
    return row;
  }

  /** Waits until the record has the job in one of these states. */
  async reached(id: TaskId, ...states: string[]): Promise<JobRow> {
    await until(
      async () => states.includes((await this.row(id)).state),
      `${id} being ${states.join(' or ')}`,
    );
    return this.row(id);
  }

  /** What happened to the job. */
  async story(id: TaskId): Promise<readonly string[]> {
    const { rows } = await this.client.query<{ type: string }>(
      'SELECT type FROM task_events WHERE task_id = $1 ORDER BY seq',
      [id],
    );
    return rows.map(({ type }) => type);
  }

  /** What the job has written so far. */
  logOf(id: TaskId): string {
    const path = this.get(JobPlaces).logPath(id);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  async wrote(id: TaskId, text: string): Promise<void> {
    await until(() => this.logOf(id).includes(text), `${JSON.stringify(text)} in the log of ${id}`);
  }

  /** Path of a file that jobs may write. */
  file(name: string): string {
    return join(this.folder, name);
  }

  async close(): Promise<void> {
    await this.end();
    const { rows } = await this.client.query<{ id: string }>(
      'SELECT dispatch_id AS id FROM attempts',
    );
    await endMarked(new Set(rows.map(({ id }) => id)));
    await this.client.end();
    await this.database.drop();
    await removeScratch(this.folder);
  }
}
