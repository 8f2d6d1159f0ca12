import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call that the scheduler received. */
export interface SchedulerCall {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: IncomingMessage['headers'];
}

/** What it answers. */
export interface SchedulerAnswer {
  readonly status: number;
  /** Sent as JSON, or as it is when it is text. */
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

const SUCCESS: SchedulerAnswer = {
  status: 200,
  body: { status: 'success', message: 'OK', ti_uuid: '00000000-0000-4000-8000-000000000000' },
};

/**
 * The scheduler's side of the wire for tests of the worker: keeps what it receives, answers what
 * the test says (success by default), and can go away and come back at the same port.
 */
export class FakeScheduler {
  readonly calls: SchedulerCall[] = [];
  answer: (call: SchedulerCall) => SchedulerAnswer = () => SUCCESS;
  private server: Server | null = null;
  private port = 0;

  static async start(): Promise<FakeScheduler> {
    const scheduler = new FakeScheduler();
    await scheduler.comeUp();
    return scheduler;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What was sent to that path, in order. */
  bodies(path: string): SchedulerCall['body'][] {
    return this.calls.filter((call) => call.path === path).map((call) => call.body);
  }

  /** Listens, at the same port as before where there was one. */
  async comeUp(): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as SchedulerCall['body'];
        const call = { path: request.url ?? '', body, headers: request.headers };
        this.calls.push(call);
        const { status, body: answer, headers } = this.answer(call);
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Refuses connections and cuts those there are. */
  async goDown(): Promise<void> {
    const { server } = this;
    if (server === null) return;
    this.server = null;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}
