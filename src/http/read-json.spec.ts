import { once } from 'node:events';
import { createConnection } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { request } from 'undici';
import { HttpApp, OPEN_ADMISSION, sendRaw, startHttpApp } from '../../test/support/http-app';
import type { Dialect } from './dialect';
import { IsJsonObject, type JsonObject } from './dto-fields';
import { nativeDialect } from './problem-details';

class PayloadDto {
  @IsJsonObject()
  data!: JsonObject;
}

@Controller()
class SizeController {
  @Post(['small', 'large', 'v1/strict'])
  @HttpCode(200)
  size(@Body() dto: PayloadDto): unknown {
    return { bytes: JSON.stringify(dto).length };
  }
}

const LIMIT = 10_000;

const STATUS = new Map([
  ['body_too_large', 413],
  ['unsupported_content', 415],
  ['malformed_body', 400],
]);

const lenient: Dialect = {
  name: 'lenient',
  routes: [
    { method: 'POST', path: '/small', access: 'dialect' },
    { method: 'POST', path: '/large', access: 'dialect' },
  ],
  owns: (path) => !path.startsWith('/v1'),
  errorAnswer: ({ code, message }) => ({
    status: STATUS.get(code) ?? 422,
    body: { code, message },
  }),
};

let app: HttpApp;

beforeAll(async () => {
  const native = nativeDialect([{ method: 'POST', path: '/v1/strict', access: 'key' }]);
  app = await startHttpApp([SizeController], {
    dialects: [lenient, native],
    admission: OPEN_ADMISSION,
    bodyLimitBytes: LIMIT,
    bodyLimits: { '/large': 40 * LIMIT },
  });
});

afterAll(() => app.close());

/** A valid body of exactly so many bytes. */
function bodyOf(bytes: number): string {
  return `{"data":{"s":"${'x'.repeat(bytes - 17)}"}}`;
}

interface AnswerBody {
  readonly code?: string;
  readonly message?: string;
  readonly bytes?: number;
}

async function post(
  path: string,
  body: string | Buffer | AsyncIterable<Buffer>,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<{ status: number; json: AnswerBody }> {
  const answer = await request(`${app.url}${path}`, {
    method: 'POST',
    headers,
    body: body as string | Buffer,
  });
  return { status: answer.statusCode, json: (await answer.body.json()) as AnswerBody };
}

async function* chunked(text: string, size: number): AsyncIterable<Buffer> {
  for (let at = 0; at < text.length; at += size) {
    yield Buffer.from(text.slice(at, at + size));
    await Promise.resolve();
  }
}

describe('readJson', () => {
  it('takes bodies up to the limit of their path', async () => {
    expect(await post('/small', bodyOf(LIMIT))).toEqual({ status: 200, json: { bytes: LIMIT } });
    expect((await post('/large', bodyOf(40 * LIMIT))).status).toBe(200);
    expect((await post('/large/', bodyOf(40 * LIMIT))).status).toBe(200);
  });

  it('refuses larger ones', async () => {
    const tooLarge = { status: 413, json: { code: 'body_too_large', message: expect.any(String) } };
    expect(await post('/small', bodyOf(LIMIT + 1))).toEqual(tooLarge);
    expect(await post('/large', bodyOf(40 * LIMIT + 1))).toEqual(tooLarge);
    expect((await post('/small', bodyOf(LIMIT + 1))).json.message).toContain('10000 bytes');
  });

  it('puts together a body that comes in pieces, also through characters', async () => {
    const text = JSON.stringify({ data: { s: '漢字😀'.repeat(20) } });
    const bytes = Buffer.from(text);
    async function* pieces(): AsyncIterable<Buffer> {
      for (const byte of bytes) yield Buffer.of(byte);
      await Promise.resolve();
    }
    expect(await post('/small', pieces())).toEqual({ status: 200, json: { bytes: text.length } });
  });

  it('counts a body without Content-Length while it comes', async () => {
    expect((await post('/small', chunked(bodyOf(LIMIT), 1_000))).status).toBe(200);
    expect((await post('/small', chunked(bodyOf(LIMIT + 1), 1_000))).status).toBe(413);
  });

  it('answers before an endless body ends, and drops the rest', async () => {
    const socket = createConnection({ port: app.port, host: '127.0.0.1' });
    socket.write('POST /small HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
    const piece = `1000\r\n${'x'.repeat(4_096)}\r\n`;
    for (let sent = 0; sent < 10; sent += 1) socket.write(piece);
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString('latin1')).toMatch(/^HTTP\/1\.1 413/);
    // The same connection serves the next request once the client has finished this one.
    socket.write(`${piece.repeat(20)}0\r\n\r\n`);
    const body = '{"data":{}}';
    socket.write(
      `POST /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    const rest: Buffer[] = [];
    for await (const chunk of socket) rest.push(chunk as Buffer);
    expect(Buffer.concat(rest).toString('latin1')).toMatch(/^HTTP\/1\.1 200/);
  });

  it('refuses compressed bodies', async () => {
    const zipped = gzipSync(bodyOf(100));
    for (const encoding of ['gzip', 'br', 'deflate', 'gzip, identity']) {
      const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
      const { status, json } = await post('/small', zipped, headers);
      expect({ status, code: json.code }).toEqual({ status: 415, code: 'unsupported_content' });
    }
    const plain = { 'content-type': 'application/json', 'content-encoding': 'identity' };
    expect((await post('/small', bodyOf(100), plain)).status).toBe(200);
  });

  it.each([
    ['application/json', 200, 200],
    ['application/json; charset=utf-8', 200, 200],
    ['Application/JSON;charset="UTF-8"', 200, 200],
    ['application/json; charset=utf-16', 415, 415],
    ['application/x-www-form-urlencoded', 200, 415],
    ['application/x-www-form-urlencoded; charset=utf-8', 200, 415],
    ['text/plain', 415, 415],
    ['multipart/form-data; boundary=x', 415, 415],
    ['application/jsonp', 415, 415],
    ['', 415, 415],
  ])(
    'content type %p: %i where the dialect is lenient, %i natively',
    async (type, loose, strict) => {
      const headers = { 'content-type': type };
      expect((await post('/small', bodyOf(50), headers)).status).toBe(loose);
      expect((await post('/v1/strict', bodyOf(50), headers)).status).toBe(strict);
    },
  );

  it('reads a missing content type as JSON where the dialect is lenient', async () => {
    expect((await post('/small', bodyOf(50), {})).status).toBe(200);
    const refused = await post('/v1/strict', bodyOf(50), {});
    expect(refused).toMatchObject({ status: 415, json: { code: 'unsupported_content' } });
  });

  it('is strict with pages, which can send a form type without asking', async () => {
    const origin = { origin: app.url, host: `127.0.0.1:${app.port}` };
    const form = { ...origin, 'content-type': 'application/x-www-form-urlencoded' };
    expect((await post('/small', bodyOf(50), form)).status).toBe(415);
    expect((await post('/small', bodyOf(50), origin)).status).toBe(415);
    const json = { ...origin, 'content-type': 'application/json' };
    expect((await post('/small', bodyOf(50), json)).status).toBe(200);
  });

  it('survives a client that goes away in the middle of a body', async () => {
    const socket = createConnection({ port: app.port, host: '127.0.0.1' });
    const half = 'POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"data"';
    socket.write(half, () => socket.resetAndDestroy());
    await once(socket, 'close');
    expect((await post('/small', bodyOf(50))).status).toBe(200);
  });

  it('refuses a length that lies', async () => {
    const head = 'POST /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n';
    const body = bodyOf(50);
    const short = await sendRaw(app.port, `${head}Content-Length: 20\r\n\r\n${body}`);
    expect(short).toMatch(/^HTTP\/1\.1 400/);
  });
});
