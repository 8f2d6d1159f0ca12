import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import type { JsonObject } from '../../src/http/dto-fields';
import { canonicalJson } from '../../src/worker/canonical-json';
import type { Execution } from './verdict';

/**
 * How it tells of an end: not at all, by a bare `/notify/task_complete`, or with the result. Like
 * the originals it tries once.
 */
export type Reporting = 'never' | 'bare' | 'result';

/** How a worker is started. */
export interface OriginalWorkerOptions {
  readonly model: string;
  /** Asked for at each call, since a successor may listen elsewhere. */
  readonly scheduler: () => string;
  /** Default: `result`. */
  readonly reporting?: Reporting;
  /** Default: 1. */
  readonly replicas?: number;
}

/** What came in with an enqueue. */
export interface Arrival {
  readonly input: JsonObject;
  readonly metadata: JsonObject;
}

/** What the scheduler answered to a call of the worker's. */
export interface Reply {
  readonly status: number;
  readonly retryAfter: unknown;
  readonly body: unknown;
}

/** A refusal of an enqueue. */
export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer of its own. */
export interface OriginalAnswer extends Refusal {
  /** A text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  /** Writes the answer by itself, or none at all. */
  readonly pour?: (response: ServerResponse) => void;
}

/** Accepts the call and never answers. */
export const HANG: OriginalAnswer = { status: 0, pour: () => undefined };

interface Job {
  readonly remoteId: string;
  readonly arrival: Arrival;
  state: 'queued' | 'running' | 'completed' | 'failed';
  result: JsonObject | null;
  error: string | null;
  executionMs: number;
}

/**
 * A worker as the original ones are: it makes its own ids, the same ones again after a restart,
 * knows nothing of dispatch ids, and lists finished tasks only. It executes by waiting for
 * `metadata.service_ms`, keeps a ledger in memory, and misbehaves as the test says.
 */
export class OriginalWorker {
  readonly host = '127.0.0.1';
  /** What it executed, over all its lives. */
  readonly executions: Execution[] = [];
  /** What was handed over, refused calls included. */
  readonly arrivals: Arrival[] = [];
  /** Answers to its calls, in order; status 0 where there was none. */
  readonly replies: Reply[] = [];
  replicas: number;
  /** What its status names. */
  model: string;
  reporting: Reporting;
  /** `later`: it knows `/info` and `/queue/submit` instead of `/status` and `/queue/enqueue`. */
  generation: 'first' | 'later' = 'first';
  /** How much faster than asked it executes; it tells nobody. */
  speed = 1;
  /** Why everything that it executes fails. */
  breaks: string | null = null;
  /** Answers in its place; calls `honest` for what it would do and say by itself. */
  lie: (call: string, honest: () => Promise<OriginalAnswer>) => Promise<OriginalAnswer> = (
    _call,
    honest,
  ) => honest();
  /** Says which arrivals are refused; default: none. */
  refuse: (arrival: Arrival) => Refusal | null = () => null;
  /** The answer to an enqueue that was taken waits for this. */
  beforeAnswer: (arrival: Arrival) => Promise<void> = () => Promise.resolve();
  /** True: `/results` answers 404 although there are some. */
  hidesResults = false;
  private jobs = new Map<string, Job>();
  private line: Job[] = [];
  /** What runs, and how each is brought to its end. */
  private running = new Map<Job, () => void>();
  private lastId = 0;
  private server: Server | null = null;
  private boundPort = 0;

  private constructor(private readonly options: OriginalWorkerOptions) {
    this.replicas = options.replicas ?? 1;
    this.model = options.model;
    this.reporting = options.reporting ?? 'result';
  }

  /** Listens on a free port. It is not registered yet. */
  static async start(options: OriginalWorkerOptions): Promise<OriginalWorker> {
    const worker = new OriginalWorker(options);
    await worker.comeUp();
    return worker;
  }

  get port(): number {
    return this.boundPort;
  }

  get name(): string {
    return `original-${this.boundPort}`;
  }

  /** Makes itself known. @throws {Error} when the scheduler does not take it */
  async register(): Promise<void> {
    const { host, port, model } = this;
    const said = await this.tell('/ti/register', { host, port, model_name: model });
    const isTaken = (said.body as { status?: unknown }).status === 'success';
    if (!isTaken) throw new Error(`not registered: ${JSON.stringify(said)}`);
  }

  /** Reports the end of a task, whatever became of it here. */
  report(path: '/notify/task_complete' | '/result/submit', body: object): Promise<Reply> {
    return this.tell(path, { instance_id: this.name, execution_time: 1, ...body });
  }

  /** Ends as by `kill -9`: connections are cut, work and memory are gone. */
  async crash(): Promise<void> {
    this.forget();
    await this.goDeaf();
  }

  /** Cannot be reached any more, and works on. */
  async goDeaf(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (server === null) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  /** Listens again at the same port. */
  async comeUp(): Promise<void> {
    const server = createServer((incoming, response) => void this.receive(incoming, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.boundPort, this.host, resolve);
    });
    this.server = server;
    this.boundPort = (server.address() as AddressInfo).port;
  }

  /** Loses work and memory, as a restart does that nobody noticed. Ids begin again. */
  forget(): void {
    this.jobs = new Map();
    this.line = [];
    this.running = new Map();
    this.lastId = 0;
  }

  /** Ends what runs now, whatever its service time. */
  finishAll(): void {
    for (const finish of [...this.running.values()]) finish();
  }

  /** What it made of a task that has finished; undefined when there is none. */
  resultOf(remoteId: string): JsonObject | null | undefined {
    return this.jobs.get(remoteId)?.result;
  }

  // --- the wire --------------------------------------------------------------------------------

  private async receive(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = '', url = '' } = incoming;
    const text = Buffer.concat(chunks).toString();
    const call = `${method} ${url}`;
    const answer = await this.lie(call, () => this.answer(call, text));
    const { status, headers, body, pour } = answer;
    if (pour) {
      pour(response);
      return;
    }
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  private async answer(call: string, text: string): Promise<OriginalAnswer> {
    const isLater = this.generation === 'later';
    if (call === (isLater ? 'POST /queue/submit' : 'POST /queue/enqueue')) return this.takeIn(text);
    if (call === 'GET /info' && isLater) return ok(this.info());
    if (call === 'GET /status' && !isLater) return ok(this.status());
    if (call === 'POST /queue/predict' && !isLater) return ok(this.prediction());
    // Parameters that it does not know are ignored.
    if (/^GET \/results(\?|$)/.test(call)) {
      return ok([...this.jobs.values()].filter(isFinished).map(resultOf));
    }
    const remoteId = /^GET \/results\/([^/?]+)$/.exec(call)?.[1];
    const job = remoteId === undefined ? undefined : this.finishedJob(remoteId);
    return job ? ok(resultOf(job)) : { status: 404, body: { detail: 'Not Found' } };
  }

  private finishedJob(remoteId: string): Job | undefined {
    const job = this.jobs.get(remoteId);
    return job && isFinished(job) && !this.hidesResults ? job : undefined;
  }

  private status(): object {
    return {
      instance_id: this.name,
      model_type: this.model,
      replicas_running: this.replicas,
      queue_size: this.line.length,
      status: this.occupation,
    };
  }

  private info(): object {
    return {
      instance_status: this.occupation,
      deployed_model: { model_name: this.model, replicas: this.replicas },
      queue_info: { length_of_queue: this.line.length },
    };
  }

  private get occupation(): 'running' | 'idle' {
    return this.running.size + this.line.length > 0 ? 'running' : 'idle';
  }

  private prediction(): object {
    return { expected_ms: 0, error_ms: 0, queue_size: this.line.length };
  }

  private async takeIn(text: string): Promise<OriginalAnswer> {
    const body = JSON.parse(text) as Record<string, JsonObject>;
    const input = body[this.generation === 'later' ? 'task_input' : 'input_data'] ?? {};
    const arrival = { input, metadata: body['metadata'] ?? {} };
    this.arrivals.push(arrival);
    const refusal = this.refuse(arrival);
    if (refusal) return { ...refusal, body: { detail: 'refused' } };
    this.lastId += 1;
    const job: Job = {
      remoteId: String(this.lastId),
      arrival,
      state: 'queued',
      result: null,
      error: null,
      executionMs: 0,
    };
    this.jobs.set(job.remoteId, job);
    this.line.push(job);
    this.pump();
    await this.beforeAnswer(arrival);
    return ok({ task_id: job.remoteId, queue_size: this.line.length, enqueue_time: now() });
  }

  // --- work ------------------------------------------------------------------------------------

  private pump(): void {
    while (this.running.size < this.replicas) {
      const job = this.line.shift();
      if (!job) return;
      job.state = 'running';
      const startedAt = now();
      const finish = (): void => this.finish(job, startedAt);
      this.running.set(job, finish);
      setTimeout(finish, Number(job.arrival.metadata['service_ms'] ?? 0) / this.speed).unref();
    }
  }

  private finish(job: Job, startedAt: number): void {
    if (!this.running.delete(job)) return; // It ended before, or belongs to an earlier life.
    const { input, metadata } = job.arrival;
    const { fail } = metadata;
    const error = typeof fail === 'string' ? fail : this.breaks;
    const digest = createHash('sha256').update(canonicalJson(input)).digest('hex');
    job.executionMs = (now() - startedAt) * 1000;
    job.error = error;
    job.result = error === null ? { input_sha256: digest, engine: 'original' } : null;
    job.state = error === null ? 'completed' : 'failed';
    this.executions.push({
      task_id: textIn(metadata, 'task_id'),
      dispatch_id: textIn(metadata, 'dispatch_id'),
      remote_id: job.remoteId,
      worker: this.name,
      started_at: startedAt,
      finished_at: now(),
      ok: error === null,
    });
    void this.reportEnd(job);
    this.pump();
  }

  private async reportEnd(job: Job): Promise<void> {
    const { remoteId: task_id, executionMs: execution_time } = job;
    if (this.reporting === 'bare') {
      await this.report('/notify/task_complete', { task_id, execution_time });
    } else if (this.reporting === 'result') {
      const result = job.result ?? { error: job.error };
      await this.report('/result/submit', { task_id, execution_time, result });
    }
  }

  private async tell(path: string, body: object): Promise<Reply> {
    const said = await post(this.options.scheduler() + path, body);
    this.replies.push(said);
    return said;
  }
}

async function post(url: string, body: object): Promise<Reply> {
  try {
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      headersTimeout: 5_000,
    });
    const text = await answer.body.text();
    const retryAfter = answer.headers['retry-after'];
    return { status: answer.statusCode, retryAfter, body: JSON.parse(text) };
  } catch (error) {
    return { status: 0, retryAfter: undefined, body: String(error) };
  }
}

function ok(body: unknown): OriginalAnswer {
  return { status: 200, body };
}

function resultOf(job: Job): object {
  return {
    task_id: job.remoteId,
    status: job.state,
    result: job.result,
    error: job.error,
    execution_time: job.executionMs,
  };
}

function isFinished({ state }: Job): boolean {
  return state === 'completed' || state === 'failed';
}

function textIn(metadata: JsonObject, name: string): string | null {
  const value = metadata[name];
  return typeof value === 'string' ? value : null;
}

function now(): number {
  return Date.now() / 1000;
}
