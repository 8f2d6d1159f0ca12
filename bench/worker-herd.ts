import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { announce } from './child';
import { HttpClient, requestBytes } from './http-client';

/**
 * Many task instances in one process: `worker-herd COUNT MODELS [SCHEDULER]`. Without a scheduler's URL
 * each has one replica, takes what it is sent and never ends it: whatever else is submitted goes on
 * waiting. With one, each has some replicas, ends a task at once and reports it, and the herd tells
 * its `Tally` when it is asked.
 */
const REPLICAS = 8;
const REPORTING_CONNECTIONS = 32;

/** What a herd that ends its tasks has seen since it was last asked. */
export interface Tally {
  /** Reports that the scheduler has answered: these ends are recorded. */
  readonly recorded: number;
  /** Of tasks with `sent_at` in their input: from the client's sending to the arrival here. */
  readonly delaysMs: readonly number[];
}

interface Enqueued {
  readonly input_data?: { readonly sent_at?: string };
}

/** Ends of tasks, on their way to the scheduler. */
class Reports {
  private recorded = 0;
  private delaysMs: number[] = [];

  private constructor(private readonly client: HttpClient) {}

  static async to(scheduler: string): Promise<Reports> {
    return new Reports(await HttpClient.open(scheduler, REPORTING_CONNECTIONS));
  }

  arrived({ input_data: input }: Enqueued): void {
    if (input?.sent_at === undefined) return;
    const micros = Math.floor(Number(process.hrtime.bigint()) / 1_000);
    this.delaysMs.push((micros - Number(input.sent_at)) / 1_000);
  }

  async report(instance: string, task: string): Promise<void> {
    const end = {
      task_id: task,
      instance_id: instance,
      execution_time: 1,
      result: { output: 'done' },
    };
    const request = requestBytes('POST', '/result/submit', JSON.stringify(end));
    const { status, text } = await this.client.send(request);
    if (status !== 200) throw new Error(`/result/submit: ${status} ${text()}`);
    this.recorded += 1;
  }

  tally(): Tally {
    const { recorded, delaysMs } = this;
    this.recorded = 0;
    this.delaysMs = [];
    return { recorded, delaysMs };
  }
}

async function startWorker(name: string, model: string, reports?: Reports): Promise<number> {
  let accepted = 0;
  // Work whose report is not answered yet is at the worker still: an idle one would be asked for it.
  let held = 0;
  const status = (): object => ({
    instance_id: name,
    model_type: model,
    replicas_running: reports ? REPLICAS : 1,
    queue_size: 0,
    status: held === 0 ? 'idle' : 'running',
    dispatch_ids: true,
  });
  const server: Server = createServer((request, response) => {
    onText(request, (text) => {
      const path = request.url?.split('?')[0];
      const isEnqueue = path === '/queue/enqueue';
      if (isEnqueue) reports?.arrived(JSON.parse(text) as Enqueued);
      const task = isEnqueue ? `${name}-${++accepted}` : '';
      const answer = isEnqueue
        ? { task_id: task, queue_size: accepted, enqueue_time: 0 }
        : path === '/status'
          ? status()
          : undefined;
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? { detail: 'Not Found' }));
      if (!isEnqueue) return;
      held += 1;
      void reports?.report(name, task).then(() => (held -= 1));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function onText(request: IncomingMessage, use: (text: string) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => use(Buffer.concat(chunks).toString()));
}

async function startHerd(count: number, models: number, scheduler?: string): Promise<void> {
  const reports = scheduler === undefined ? undefined : await Reports.to(scheduler);
  const ports: number[] = [];
  for (let n = 0; n < count; n += 1) {
    ports.push(await startWorker(`w${n}`, `model-${n % models}`, reports));
  }
  process.on('message', () => process.send?.(reports?.tally()));
  announce(...ports);
}

void startHerd(Number(process.argv[2]), Number(process.argv[3]), process.argv[4]);
