import { connect, type Socket } from 'node:net';

/** An answer, as far as a load looks at it. */
export interface Answer {
  readonly status: number;
  /** Its body, read only when somebody asks. */
  readonly text: () => string;
}

interface Awaited {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

const PATIENCE_MS = 60_000;
/** A connection that was not used for so long is opened anew: the service closes it after 75 s. */
const KEPT_MS = 60_000;
const LINE_END = '\r\n';
const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = '0\r\n\r\n';
/** `HTTP/1.1 ` comes before it. */
const STATUS_AT = 9;
const STATUS_DIGITS = 3;

/** The bytes of a request with a JSON body, or without one. */
export function requestBytes(method: string, path: string, body = ''): Buffer {
  const type = body === '' ? '' : 'content-type: application/json\r\n';
  const length = `content-length: ${Buffer.byteLength(body)}`;
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${type}${length}${HEAD_END}${body}`,
  );
}

/**
 * Connections that are kept, each with one request at a time. It sends bytes that are ready and reads of
 * an answer only what a load asks: on shared cores whatever a client computes is missing where it is
 * measured, and a client for every server computes up to 2.4 times as much (ADR 12).
 */
export class HttpClient {
  private readonly free: Connection[];
  private readonly waiting: ((connection: Connection) => void)[] = [];

  private constructor(private readonly connections: readonly Connection[]) {
    this.free = [...connections];
  }

  /** All connections are open before the first request. */
  static async open(origin: string, connections: number): Promise<HttpClient> {
    const { hostname, port } = new URL(origin);
    const all = Array.from({ length: connections }, () => new Connection(hostname, Number(port)));
    await Promise.all(all.map((connection) => connection.open()));
    return new HttpClient(all);
  }

  /**
   * Sends on the next connection that is free.
   * @throws {Error} when the connection fails or nothing comes for a minute
   */
  async send(request: Buffer): Promise<Answer> {
    const connection = this.free.pop() ?? (await this.nextFree());
    try {
      return await connection.send(request);
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free.push(connection);
      else next(connection);
    }
  }

  close(): void {
    for (const connection of this.connections) connection.close();
  }

  private nextFree(): Promise<Connection> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

class Connection {
  private socket: Socket | undefined;
  private usedMs = 0;
  private awaited: Awaited | undefined;
  private received: Buffer | undefined;

  constructor(
    private readonly host: string,
    private readonly port: number,
  ) {}

  async send(request: Buffer): Promise<Answer> {
    const socket = await this.open();
    return new Promise((resolve, reject) => {
      this.awaited = { resolve, reject };
      socket.write(request);
    });
  }

  /** Connected now, or since a request that was not long ago. */
  async open(): Promise<Socket> {
    const { socket } = this;
    const isKept = performance.now() - this.usedMs < KEPT_MS;
    return socket && !socket.destroyed && isKept ? socket : this.connect();
  }

  close(): void {
    this.socket?.destroy();
  }

  private connect(): Promise<Socket> {
    this.close();
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, this.host, () => {
        this.usedMs = performance.now();
        resolve(socket);
      });
      socket.once('error', reject);
      this.socket = socket;
      socket.setNoDelay();
      socket.setTimeout(PATIENCE_MS);
      socket.on('data', (chunk) => this.receive(chunk));
      socket.on('timeout', () => socket.destroy(new Error(`nothing for ${PATIENCE_MS} ms`)));
      socket.on('error', (error) => this.fail(socket, error));
      socket.on('close', () => this.fail(socket, new Error('the connection was closed')));
    });
  }

  private receive(chunk: Buffer): void {
    const received = this.received ? Buffer.concat([this.received, chunk]) : chunk;
    const answer = answerIn(received);
    this.received = answer === undefined ? received : undefined;
    if (answer === undefined) return;
    this.usedMs = performance.now();
    const { awaited } = this;
    this.awaited = undefined;
    awaited?.resolve(answer);
  }

  /** One that was given up for another has nothing to say any more. */
  private fail(socket: Socket, error: Error): void {
    if (socket !== this.socket) return;
    const { awaited } = this;
    this.awaited = undefined;
    this.received = undefined;
    awaited?.reject(error);
  }
}

/** The answer, if its last byte is there. */
function answerIn(received: Buffer): Answer | undefined {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = received.toString('latin1', 0, headEnd);
  const body = received.subarray(headEnd + HEAD_END.length);
  const length = /content-length: *(\d+)/i.exec(head)?.[1];
  const isWhole =
    length === undefined
      ? body.subarray(-LAST_CHUNK.length).toString('latin1') === LAST_CHUNK
      : body.length >= Number(length);
  if (!isWhole) return undefined;
  return {
    status: Number(head.slice(STATUS_AT, STATUS_AT + STATUS_DIGITS)),
    text: () => (length === undefined ? unchunked(body) : body).toString(),
  };
}

/** What is in the chunks. */
function unchunked(body: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const from = body.indexOf(LINE_END, at) + LINE_END.length;
    const size = parseInt(body.toString('latin1', at, from), 16);
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(body.subarray(from, from + size));
    at = from + size + LINE_END.length;
  }
}
