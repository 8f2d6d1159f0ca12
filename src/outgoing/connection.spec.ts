import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  json,
  startFrozen,
  startRaw,
  startThread,
  WorkerStub,
  type RawStub,
} from '../../test/support/worker-stub';
import { until } from '../../test/support/until';
import type { ExchangeRequest } from './http-exchange';
import { CallError, type CallFailure } from './call-error';
import { Connection } from './connection';

class PeerError extends CallError {
  constructor(failure: CallFailure, options?: { cause?: unknown }) {
    super('peer', failure, options);
  }
}

const GET: ExchangeRequest = { method: 'GET', path: '/a', timeoutMs: 5_000, limitBytes: 1_000 };
const POST: ExchangeRequest = { ...GET, method: 'POST', body: '{}' };
const text = (bytes: Buffer): string => bytes.toString();

const failureOf = async (call: Promise<unknown>): Promise<PeerError> => {
  const error: unknown = await call.then(
    (value) => new Error(`no failure but ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof PeerError) return error;
  throw error;
};

describe('Connection', () => {
  const opened: { destroy(): Promise<void> }[] = [];
  const started: { stop(): Promise<void> }[] = [];

  const connect = (
    to: { host: string; port: number },
    connections = 8,
    connectMs = 2_000,
  ): Connection => {
    const connection = new Connection(to, PeerError, { connections, connectMs });
    opened.push(connection);
    return connection;
  };
  const startWorker = async (): Promise<WorkerStub> => {
    const worker = await WorkerStub.start();
    started.push(worker);
    return worker;
  };
  const startLiar = async (greet: (socket: Socket) => void): Promise<RawStub> => {
    const liar = await startRaw(greet);
    started.push(liar);
    return liar;
  };

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((connection) => connection.destroy()));
    await Promise.all(started.splice(0).map((server) => server.stop()));
  });

  it('keeps connections between calls', async () => {
    const worker = (await startWorker()).on('GET /a', json({})).on('POST /a', json({}));
    const connection = connect(worker);
    for (let round = 0; round < 5; round += 1) {
      await connection.tell(GET, text);
      await connection.tell(POST, text);
      await failureOf(connection.tell({ ...GET, path: '/missing' }, text));
    }
    // A connection rests for a turn of the event loop after each answer; another one fills in.
    expect(worker.connections).toBeLessThanOrEqual(2);
  });

  it('takes an answer that came in time while this process was busy', async () => {
    const thread = await startThread();
    started.push(thread);
    const timeoutMs = 2_000;
    const over = performance.now() + timeoutMs + 100;
    const call = connect(thread).tell({ ...GET, timeoutMs }, text);
    await until(() => thread.held === 1, 'the request');
    // What comes after this turn are the timers, before anything that has arrived is read.
    await new Promise(setImmediate);
    thread.answerAndBlock();
    while (performance.now() < over);
    expect(await call).toBe('{}');
  });

  it('opens no more connections than allowed, and gives every call its turn', async () => {
    const held: ServerResponse[] = [];
    const worker = (await startWorker()).on('GET /a', (response) => void held.push(response));
    const connection = connect(worker, 2);
    const calls = [1, 2, 3, 4, 5].map(() => connection.tell(GET, text));
    for (let answered = 0; answered < 5; answered += 1) {
      await until(() => held.length > 0, 'a call');
      expect(held.length).toBeLessThanOrEqual(2);
      held.shift()?.end('{}');
    }
    expect(await Promise.all(calls)).toEqual(Array(5).fill('{}'));
    expect(worker.connections).toBe(2);
  });

  it('knows that a refused connection carried nothing', async () => {
    const worker = await WorkerStub.start();
    const { host, port } = worker;
    await worker.stop();
    const error = await failureOf(connect({ host, port }).tell(POST, text));
    expect(error).toMatchObject({ code: 'unreachable', sent: false, status: null });
    expect(error.message).toBe(`peer 127.0.0.1:${port}, POST /a: connect ECONNREFUSED`);
  });

  it('knows that a name that does not resolve carried nothing', async () => {
    // A label of a name has 63 characters at most: refused by the resolver without asking anybody.
    const host = `${'x'.repeat(64)}.invalid`;
    const error = await failureOf(connect({ host, port: 9 }).ask(GET, text));
    expect(error).toMatchObject({ code: 'unreachable', sent: false });
    expect(error.message).toContain('ENOTFOUND');
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('knows that a connection that was not made in time carried nothing', async () => {
    const frozen = await startFrozen();
    started.push(frozen);
    const error = await failureOf(connect(frozen, 8, 50).tell(POST, text));
    expect(error).toMatchObject({ code: 'unreachable', sent: false });
    expect(error.message).toContain('no connection in time');
  });

  it('sends nothing to an address that no worker can have', async () => {
    const error = await failureOf(connect({ host: '169.254.169.254', port: 80 }).ask(GET, text));
    expect(error).toMatchObject({ code: 'unreachable', sent: false });
    expect(error.message).toContain('169.254.169.254 is not an address that a service can have');
  });

  it('sends nothing to a name that leads to such an address', async () => {
    const limits = { connections: 1, connectMs: 2_000 };
    const connection = new Connection(
      { host: 'gpu-1', port: 80 },
      PeerError,
      limits,
      (_name, _options, callback) => callback(null, [{ address: '169.254.169.254', family: 4 }]),
    );
    opened.push(connection);
    const error = await failureOf(connection.tell(POST, text));
    expect(error).toMatchObject({ code: 'unreachable', sent: false });
    expect(error.message).toContain('gpu-1: 169.254.169.254 is not an address');
  });

  it('reaches a worker by its name', async () => {
    const worker = (await startWorker()).on('GET /a', json({ ok: true }));
    const limits = { connections: 1, connectMs: 2_000 };
    const connection = new Connection(
      { host: 'gpu-1', port: worker.port },
      PeerError,
      limits,
      (_name, _o, callback) => callback(null, [{ address: worker.host, family: 4 }]),
    );
    opened.push(connection);
    expect(await connection.tell(GET, text)).toBe('{"ok":true}');
    expect(worker.calls[0]?.headers.host).toBe(`gpu-1:${worker.port}`);
  });

  it('does not know what became of a request whose connection was cut', async () => {
    const liar = await startLiar((socket) => socket.destroy());
    const error = await failureOf(connect(liar).tell(POST, text));
    expect(error).toMatchObject({ code: 'unreachable', sent: true, status: null });
  });

  it('does not know what became of a request whose answer was cut', async () => {
    const liar = await startLiar((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"task_id":'),
    );
    const error = await failureOf(connect(liar).tell(POST, text));
    expect(error).toMatchObject({ code: 'unreachable', sent: true, status: 200 });
  });

  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a header without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`],
    ['a broken chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
  ])('takes %s for a bad answer', async (_what, answer) => {
    const liar = await startLiar((socket) => socket.write(answer));
    const error = await failureOf(connect(liar).tell(POST, text));
    expect(error).toMatchObject({ code: 'bad_answer', sent: true });
  });

  it('ends a call that is not answered in time, sent as it was', async () => {
    const worker = (await startWorker()).on('POST /a', () => undefined);
    const error = await failureOf(connect(worker).tell({ ...POST, timeoutMs: 50 }, text));
    expect(error).toMatchObject({ code: 'timeout', sent: true });
    expect(error.message).toContain('POST /a: no complete answer within 50 ms');
  });

  it('is not kept waiting by an answer that never ends', async () => {
    const worker = (await startWorker()).on('GET /a', (response) => {
      const drip = setInterval(() => response.write(' '), 5);
      response.on('close', () => clearInterval(drip));
    });
    const error = await failureOf(connect(worker).ask({ ...GET, timeoutMs: 100 }, text));
    expect(error).toMatchObject({ code: 'timeout', status: 200 });
  });

  it('knows that a call whose turn never came carried nothing, and never sends it', async () => {
    const held: ServerResponse[] = [];
    const worker = (await startWorker())
      .on('GET /a', (response) => void held.push(response))
      .on('GET /b', json({}));
    const connection = connect(worker, 1);
    const first = connection.tell(GET, text);
    await until(() => held.length === 1, 'the first call');
    const error = await failureOf(connection.tell({ ...POST, timeoutMs: 50 }, text));
    expect(error).toMatchObject({ code: 'timeout', sent: false });
    expect(error.message).toContain('no connection within 50 ms');
    held[0]?.end('{}');
    await first;
    await connection.ask({ ...GET, path: '/b' }, text);
    expect(worker.calls.map(({ method }) => method)).toEqual(['GET', 'GET']);
  });

  it('reads no more than it may of an answer, announced or not', async () => {
    const worker = (await startWorker())
      .on('GET /a', json('x'.repeat(1_001)))
      .on('GET /b', (response) => {
        response.write('x'.repeat(600));
        response.write('x'.repeat(600));
      });
    for (const path of ['/a', '/b']) {
      const error = await failureOf(connect(worker).ask({ ...GET, path }, text));
      expect(error).toMatchObject({ code: 'too_large', sent: true, status: 200 });
      expect(error.message).toContain('the answer is too large; allowed are 1000 bytes');
    }
  });

  it('shows a little of what came with another status, and asks for no more', async () => {
    const worker = (await startWorker()).on('GET /a', (response) => {
      response.writeHead(418);
      response.write(`I'm a\n\tteapot\u0000 ${'x'.repeat(9_000)}`);
    });
    const error = await failureOf(connect(worker).ask(GET, text));
    expect(error).toMatchObject({ code: 'http_status', status: 418 });
    expect(error.reason).toMatch(/^answered 418: I'm a teapot\ufffd x+$/);
    expect(error.reason.length).toBeLessThan(400);
  });

  it.each([
    ['2', 2_000],
    ['0.5', 500],
    ['999999999', 60_000],
    ['-3', 0],
    ['soon', null],
    [new Date(0).toUTCString(), 0],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 60_000],
  ])('reads Retry-After: %s', async (header, ms) => {
    const worker = (await startWorker()).on('POST /a', json({}, 503, { 'retry-after': header }));
    const error = await failureOf(connect(worker).tell(POST, text));
    expect(error).toMatchObject({ status: 503, retryAfterMs: ms });
  });

  it('reads the answer that follows an early hint', async () => {
    const worker = (await startWorker()).on('GET /a', (response) => {
      response.writeEarlyHints({ link: '</x>; rel=preload' }, () => response.end('{}'));
    });
    expect(await connect(worker).tell(GET, text)).toBe('{}');
  });

  describe('repeats', () => {
    it('a question whose connection was cut, once', async () => {
      let asked = 0;
      const liar = await startLiar((socket) => {
        asked += 1;
        if (asked === 1) socket.destroy();
        else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}');
      });
      expect(await connect(liar).ask(GET, text)).toBe('{}');
      expect(asked).toBe(2);
    });

    it('a question no more than once', async () => {
      let asked = 0;
      const liar = await startLiar((socket) => {
        asked += 1;
        socket.destroy();
      });
      await failureOf(connect(liar).ask(GET, text));
      expect(asked).toBe(2);
    });

    it('never what changes something, nor an answer that is there', async () => {
      let told = 0;
      const liar = await startLiar((socket) => {
        told += 1;
        socket.destroy();
      });
      await failureOf(connect(liar).tell(POST, text));
      expect(told).toBe(1);
      const worker = (await startWorker()).on('GET /a', json({}, 500));
      await failureOf(connect(worker).ask(GET, text));
      expect(worker.calls).toHaveLength(1);
    });
  });

  it('lets calls end when it is closed, and takes no more', async () => {
    const held: ServerResponse[] = [];
    const worker = (await startWorker()).on('GET /a', (response) => void held.push(response));
    const connection = connect(worker);
    const call = connection.tell(GET, text);
    await until(() => held.length === 1, 'the call');
    const closed = connection.close();
    expect(await failureOf(connection.ask(GET, text))).toMatchObject({ sent: false });
    held[0]?.end('{}');
    expect(await call).toBe('{}');
    await closed;
  });

  it('ends calls when it is destroyed', async () => {
    const worker = (await startWorker()).on('GET /a', () => undefined);
    const connection = connect(worker);
    const call = failureOf(connection.tell(GET, text));
    await until(() => worker.calls.length === 1, 'the call');
    await connection.destroy();
    expect(await call).toMatchObject({ code: 'unreachable', sent: true });
    expect(await failureOf(connection.tell(GET, text))).toMatchObject({ sent: false });
  });
});
