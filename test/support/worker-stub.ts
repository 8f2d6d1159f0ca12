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

/** A server in a thread of its own, which answers while the test holds its own thread up. */
export interface ThreadStub extends RawStub {
  /** Requests that have come and are not answered yet. */
  readonly held: number;
  /** Answers them with `{}`, and holds this thread up until that has been sent. */
  answerAndBlock(): void;
}

const HELD = 0;
const GO = 1;

export async function startThread(): Promise<ThreadStub> {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const thread = new Worker(HOLDING_LISTENER, { eval: true, workerData: state });
  const port = await new Promise<number>((resolve) => thread.once('message', resolve));
  return {
    host: '127.0.0.1',
    port,
    get held() {
      return Atomics.load(state, HELD);
    },
    answerAndBlock: () => {
      Atomics.store(state, GO, 1);
      for (let held = Atomics.load(state, HELD); held > 0; held = Atomics.load(state, HELD)) {
        if (Atomics.wait(state, HELD, held, 20_000) === 'timed-out') throw new Error('no answer');
      }
    },
    stop: async () => {
      await thread.terminate();
    },
  };
}

const HOLDING_LISTENER = `
  const { parentPort, workerData: state } = require('node:worker_threads');
  const [HELD, GO] = [0, 1];
  const held = [];
  const server = require('node:http').createServer((request, response) => {
    held.push(response);
    Atomics.add(state, HELD, 1);
  });
  setInterval(() => {
    if (Atomics.load(state, GO) === 0) return;
    for (const response of held.splice(0)) {
      response.end('{}', () => {
        Atomics.sub(state, HELD, 1);
        Atomics.notify(state, HELD);
      });
    }
  }, 5);
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

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
