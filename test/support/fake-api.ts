import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call that the service received. */
export interface ApiCall {
  readonly method: string;
  /** Path without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Text of the body; empty without one. */
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
  /** Port of the client's end of the connection. */
  readonly port: number;
}

/** What the service answers: a body in JSON, text as it is, or `cut`: nothing, the connection lost. */
export type ApiAnswer =
  | 'cut'
  | {
      readonly status?: number;
      readonly body: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    };

/**
 * The scheduler's side of the REST API, for tests of its clients: keeps what it receives, answers
 * what the test says, and can go away and come back at the same port.
 */
export class FakeApi {
  readonly calls: ApiCall[] = [];
  answer: (call: ApiCall) => ApiAnswer = () => ({ status: 404, body: { message: 'no such path' } });
  /** True: calls are received and never answered. */
  isSilent = false;
  private server: Server | null = null;
  private port = 0;

  static async start(answer?: FakeApi['answer']): Promise<FakeApi> {
    const api = new FakeApi();
    if (answer !== undefined) api.answer = answer;
    await api.comeUp();
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Listens, at the same port as before where there was one. */
  async comeUp(): Promise<void> {
    const server = createServer((request, response) => this.receive(request, response));
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

  private receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { pathname, searchParams } = new URL(request.url ?? '', this.url);
      const call = {
        method: request.method ?? '',
        path: pathname,
        query: searchParams,
        text: Buffer.concat(chunks).toString(),
        headers: request.headers,
        port: request.socket.remotePort ?? 0,
      };
      this.calls.push(call);
      if (!this.isSilent) send(this.answer(call), response);
    });
  }
}

function send(answer: ApiAnswer, response: ServerResponse): void {
  if (answer === 'cut') {
    response.socket?.destroy();
    return;
  }
  const { status = 200, body, headers } = answer;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
