import { request } from 'undici';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Response } from 'express';
import { streamJson } from './stream-json';

describe('streamJson', () => {
  let server: Server;
  let pieces: () => AsyncGenerator<string, void, undefined>;
  let outcome: Promise<unknown>;

  beforeAll(async () => {
    server = createServer((_request, response) => {
      outcome = streamJson(response as unknown as Response, pieces()).then(
        () => 'sent',
        (error: unknown) => {
          if (!response.headersSent) response.writeHead(503).end();
          return error;
        },
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const get = () => request(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

  it('sends every piece', async () => {
    pieces = async function* () {
      yield '[1';
      await Promise.resolve();
      yield ',2';
      yield ']';
    };
    const { statusCode, headers, body } = await get();
    expect([statusCode, await body.json()]).toEqual([200, [1, 2]]);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(await outcome).toBe('sent');
  });

  it('leaves the answer open to a failure before the first piece', async () => {
    const failure = new Error('no database');
    pieces = async function* () {
      await Promise.reject(failure);
      yield '[]';
    };
    expect((await get()).statusCode).toBe(503);
    expect(await outcome).toBe(failure);
  });

  it('cuts the connection at a failure in between', async () => {
    const failure = new Error('no database');
    pieces = async function* () {
      yield '[1';
      await Promise.reject(failure);
    };
    await expect(get().then(({ body }) => body.text())).rejects.toThrow();
    expect(await outcome).toBe(failure);
  });

  it('waits for a slow client, and stops when it hangs up', async () => {
    let made = 0;
    pieces = async function* () {
      for (; made < 10_000; made += 1) {
        yield 'x'.repeat(100_000);
        await Promise.resolve();
      }
    };
    const { body } = await get();
    await once(body, 'readable');
    body.on('error', () => undefined).destroy();
    expect(await outcome).toBe('sent');
    expect(made).toBeLessThan(10_000);
  });
});
