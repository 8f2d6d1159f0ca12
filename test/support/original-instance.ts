import { json, WorkerStub } from './worker-stub';

/** A task that the instance was given. */
export interface GivenTask {
  readonly remoteId: string;
  readonly input: unknown;
  /** The request as it arrived. */
  readonly body: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** How an `OriginalInstance` is made. */
export interface OriginalOptions {
  readonly name?: string;
  /** Null: it serves none yet. */
  readonly model?: string | null;
  readonly slots?: number;
}

/**
 * A task instance that speaks contracts/task-instance as the original does: it makes the ids, knows
 * nothing of ours, and lists finished tasks only. Tasks end when the test says so.
 */
export class OriginalInstance {
  readonly given: GivenTask[] = [];
  model: string | null;
  /** True: it answers its status with 500, as a worker in trouble does. */
  silent = false;
  /** True: it says that it drains, as a worker does that is about to end. */
  draining = false;
  /** Bodies of what it was asked about its models. */
  readonly wishes: unknown[] = [];
  /** A status other than 200: what it answers when it is asked about its models. */
  modelsStatus = 200;
  private readonly open = new Set<string>();

  private constructor(
    private readonly stub: WorkerStub,
    readonly name: string,
    private slots: number,
  ) {
    this.model = null;
  }

  static async start(options: OriginalOptions = {}): Promise<OriginalInstance> {
    const stub = await WorkerStub.start();
    const instance = new OriginalInstance(
      stub,
      options.name ?? `ti-${stub.port}`,
      options.slots ?? 1,
    );
    instance.model = options.model === undefined ? 'm' : options.model;
    stub.on('GET /status', (response, call) => {
      json(instance.status(), instance.silent ? 500 : 200)(response, call);
    });
    stub.on('POST /queue/predict', json({ expected_ms: 0, error_ms: 0, queue_size: 0 }));
    stub.on('POST /queue/enqueue', (response, call) => {
      const body = JSON.parse(call.body) as { input_data: unknown; metadata: object };
      const remoteId = `${instance.name}-${instance.given.length + 1}`;
      const { input_data: input, metadata } = body;
      instance.given.push({ remoteId, input, metadata: { ...metadata }, body: call.body });
      instance.open.add(remoteId);
      json({ task_id: remoteId, queue_size: 0, enqueue_time: 0 })(response, call);
    });
    stub.on('POST /models/start', (response, call) => {
      const { model_type: model, count } = JSON.parse(call.body) as {
        model_type: string;
        count: number;
      };
      const told = instance.change(call.body, count, model);
      const counts = { replicas_started: count, total_replicas: instance.slots };
      json({ ...told, model_type: model, ...counts }, instance.modelsStatus)(response, call);
    });
    stub.on('POST /models/stop', (response, call) => {
      const { count: wished } = JSON.parse(call.body) as { count: number | null };
      const count = wished ?? instance.slots;
      const told = instance.change(call.body, -count);
      const stopped = Array.from({ length: count }, (_, n) => `replica-${n}`);
      const counts = { stopped_replicas: stopped, remaining_replicas: instance.slots };
      json({ ...told, ...counts }, instance.modelsStatus)(response, call);
    });
    return instance;
  }

  get host(): string {
    return this.stub.host;
  }

  get port(): number {
    return this.stub.port;
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Executes it: from now on its result can be fetched. */
  finish(remoteId: string, result: unknown): void {
    this.end(remoteId, { status: 'completed', result, error: null });
  }

  /** The execution fails. */
  fail(remoteId: string, error: string): void {
    this.end(remoteId, { status: 'failed', result: null, error });
  }

  /** It is through with it, and keeps no result. */
  drop(remoteId: string): void {
    this.open.delete(remoteId);
  }

  stop(): Promise<void> {
    return this.stub.stop();
  }

  private change(wish: string, replicas: number, model = this.model): object {
    this.wishes.push(JSON.parse(wish));
    if (this.modelsStatus !== 200) return { detail: 'not now' };
    this.model = model;
    this.slots += replicas;
    return { detail: 'done' };
  }

  private end(remoteId: string, outcome: object): void {
    this.open.delete(remoteId);
    const times = { enqueue_time: 1, completion_time: 2, wait_time: 0, execution_time: 1 };
    this.stub.on(
      `GET /results/${remoteId}`,
      json({ task_id: remoteId, ...outcome, ...times, total_time: 1 }),
    );
  }

  private status(): object {
    return {
      instance_id: this.name,
      model_type: this.model,
      replicas_running: this.slots,
      queue_size: Math.max(0, this.open.size - this.slots),
      status: this.open.size > 0 ? 'running' : 'idle',
      ...(this.draining ? { draining: true } : {}),
    };
  }
}
