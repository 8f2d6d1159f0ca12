import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { until } from './until';

/** One request that the worker received. */
export interface StubCall {
  readonly method: string;
  readonly path: string;
  /** The text as it arrived. */
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** Answers a call, or does something else with the response. */
export type StubAnswer = (response: ServerResponse, call: StubCall) => void;

/**
 * The worker's side of the wire, as honest as the test makes it: keeps what it receives and
 * answers by method and path (`'GET /status'`), with 404 where the test says nothing.
 */
export class WorkerStub {
  readonly host = '127.0.0.1';
  readonly calls: StubCall[] = [];
  /** Connections that were ever opened to it. */
  connections = 0;
  private readonly answers = new Map<string, StubAnswer>();

  private constructor(private readonly server: Server) {
    server.on('connection', () => (this.connections += 1));
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url: path = '', headers } = request;
        const call = { method, path, headers, body: Buffer.concat(chunks).toString() };
        this.calls.push(call);
        const answer = this.answers.get(`${method} ${path}`) ?? json({ detail: 'Not Found' }, 404);
        answer(response, call);
      });
    });
  }

  static async start(): Promise<WorkerStub> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new WorkerStub(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on `call` (as in `GET /status`) is answered like this. */
  on(call: string, answer: StubAnswer): this {
    this.answers.set(call, answer);
    return this;
  }

  /** Cuts all connections and listens no more. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}

/** Answers with a JSON body; a text or bytes are sent as they are. */
export function json(
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): StubAnswer {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(isRaw ? body : JSON.stringify(body));
  };
}

/** A server that speaks whatever the test says, HTTP or not. */
export interface RawStub {
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** @param greet called with every connection, and what it sent first */
export async function startRaw(greet: (socket: Socket, data: Buffer) => void): Promise<RawStub> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    // Clients of a liar hang up without ceremony.
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', (data) => greet(socket, data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/**
 * A port whose process is frozen: the system takes a connection or two for it, and lets all others
 * hang before they are established. Linux only.
 */
export async function startFrozen(): Promise<RawStub> {
  const thread = new Worker(FROZEN_LISTENER, { eval: true });
  const port = await new Promise<number>((resolve) => thread.once('message', resolve));
  const fillers = [1, 2, 3, 4].map(() => connect(port, '127.0.0.1').on('error', () => undefined));
  let established = 0;
  for (const filler of fillers) filler.once('connect', () => (established += 1));
  await until(() => established === 2, 'the queue of connections is full');
  return {
    host: '127.0.0.1',
    port,
    stop: async () => {
      for (const filler of fillers) filler.destroy();
      await thread.terminate();
    },
  };
}

const FROZEN_LISTENER = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;
