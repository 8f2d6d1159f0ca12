import { Client } from 'pg';
import { freshDatabase, type TestDatabase } from './database';
import { OriginalInstance, type OriginalOptions } from './original-instance';
import { ServiceProcess, type Answer, type Json } from './service-process';
import { until } from './until';
import { WorkerProcess } from './worker-process';

/** Ids of ours. */
export const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Tables that a refused call must leave as they are. */
const TABLES = [
  'instances',
  'tasks',
  'attempts',
  'task_events',
  'strategy_settings',
  'prediction_settings',
  'api_keys',
  'licence_pools',
];

/** Calls that are answered in front of Express, too: what else there is goes through it anyway. */
const HOT_CALLS: readonly string[] = [
  '/queue/submit',
  '/notify/task_complete',
  '/result/submit',
  '/api/v1/schedule',
  '/api/v1/heartbeat',
];

let frontDoor: 'on' | 'off' = 'on';

/** Runs the specs that are imported after this with everything going through Express. */
export function throughExpress(): void {
  frontDoor = 'off';
}

/** Those of the calls that may answer otherwise at this entrance: all, or the hot ones again. */
export function callsHere<Call extends { readonly path: string }>(
  calls: readonly Call[],
): readonly Call[] {
  return frontDoor === 'on' ? calls : calls.filter(({ path }) => HOT_CALLS.includes(path));
}

/** Describes what has one entrance, and so is not run once more through Express. */
export function describeOnce(name: string, specs: () => void): void {
  if (frontDoor === 'on') describe(name, specs);
}

/** The built service on a database of its own, and whatever a test starts beside it. */
export class ConformanceRig {
  private readonly originals: OriginalInstance[] = [];
  private readonly workers: WorkerProcess[] = [];

  private constructor(
    readonly database: TestDatabase,
    public service: ServiceProcess,
    private readonly databaseUrl: string,
    private readonly env: Readonly<Record<string, string>>,
    private readonly client: Client,
  ) {}

  /**
   * @param settings by their names in the environment
   * @param leadTo where the service looks for the database, when that is not where it is
   */
  static async start(
    settings: Readonly<Record<string, string>> = {},
    leadTo: (url: string) => Promise<string> = (url) => Promise.resolve(url),
  ): Promise<ConformanceRig> {
    const database = await freshDatabase();
    const databaseUrl = await leadTo(database.url);
    const env = { FORESAIL_FRONT_DOOR: frontDoor, ...settings };
    const service = await ServiceProcess.start({ databaseUrl, env });
    const client = new Client({ connectionString: database.url });
    await client.connect();
    return new ConformanceRig(database, service, databaseUrl, env, client);
  }

  get(path: string): Promise<Answer> {
    return this.service.get(path);
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.service.post(path, body);
  }

  patch(path: string, body: unknown): Promise<Answer> {
    return this.service.send('PATCH', path, JSON.stringify(body));
  }

  /** Ends the service properly and starts it again at the same port. */
  async restart(): Promise<void> {
    const { port } = this.service;
    await this.service.stop();
    const { env, databaseUrl } = this;
    this.service = await ServiceProcess.start({ databaseUrl, port, env });
  }

  /** An instance like the original's, not registered yet. */
  async original(options?: OriginalOptions): Promise<OriginalInstance> {
    const instance = await OriginalInstance.start(options);
    this.originals.push(instance);
    return instance;
  }

  /** An instance like the original's, registered. @returns it and its id */
  async registered(options?: OriginalOptions): Promise<[OriginalInstance, string]> {
    const instance = await this.original(options);
    const { host, port } = instance;
    const { body } = await this.post('/ti/register', { host, port });
    expect(body).toMatchObject({ status: 'success' });
    return [instance, (body as { ti_uuid: string }).ti_uuid];
  }

  /** A reference worker, registered. */
  async worker(...flags: string[]): Promise<WorkerProcess> {
    const worker = await WorkerProcess.start('--scheduler', this.service.url, ...flags);
    this.workers.push(worker);
    await until(() => worker.log.includes('"event":"registered"'), 'the worker to be registered');
    return worker;
  }

  /** Submits a task of that client's id, and expects it to be taken. */
  async submit(taskId: string, overrides: object = {}): Promise<Json> {
    const task = {
      model_name: 'm',
      task_input: {},
      // Short, so that the result of an instance that does not report is asked for soon.
      metadata: { predicted_ms: 10 },
      task_id: taskId,
      ...overrides,
    };
    const { status, body } = await this.post('/queue/submit', task);
    expect([status, body]).toEqual([200, expect.objectContaining({ status: 'success' })]);
    return body;
  }

  /** What `/task/query` says of it. */
  async query(taskId: string): Promise<Json> {
    const { status, body } = await this.get(`/task/query?task_id=${encodeURIComponent(taskId)}`);
    expect(status).toBe(200);
    return body;
  }

  /** Waits until it is called completed, and gives the answer. */
  async completed(taskId: string): Promise<Json> {
    let last: Json;
    await until(async () => {
      last = await this.query(taskId);
      return (last as { task_status: string }).task_status === 'completed';
    }, `task ${taskId} to be completed`);
    return last;
  }

  /** Every row that a client could have changed, once nothing is on its way to an instance. */
  async rows(): Promise<Readonly<Record<string, readonly string[]>>> {
    const onTheWay = `SELECT FROM tasks WHERE state = 'dispatching'`;
    await until(
      async () => (await this.client.query(onTheWay)).rowCount === 0,
      'every task that was reserved to be at its instance',
    );
    const found: Record<string, readonly string[]> = {};
    for (const table of TABLES) {
      const { rows } = await this.client.query<{ row: string }>(
        `SELECT t::text AS row FROM ${table} t ORDER BY 1`,
      );
      found[table] = rows.map(({ row }) => row);
    }
    return found;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    for (const worker of this.workers) {
      worker.kill('SIGKILL');
      await worker.ended();
    }
    await this.service.stop();
    for (const instance of this.originals) await instance.stop();
    await this.client.end();
    await this.database.drop();
  }
}
