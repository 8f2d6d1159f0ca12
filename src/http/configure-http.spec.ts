import { Body, Controller, Get, HttpCode, Logger, Param, Post, Query } from '@nestjs/common';
import { IsInt, IsOptional, IsString, Max, Min, MinLength } from 'class-validator';
import { request } from 'undici';
import { HttpApp, OPEN_ADMISSION, sendRaw, startHttpApp } from '../../test/support/http-app';
import { ErrorCode, Fault, SchedulerError } from '../core/errors';
import type { Dialect } from './dialect';
import { FromNumericString, IsJsonObject, type JsonObject } from './dto-fields';
import { nativeDialect } from './problem-details';

class SubmitDto {
  @IsString()
  @MinLength(1)
  model_name!: string;

  @IsJsonObject()
  task_input!: JsonObject;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(65_535)
  port?: number;
}

class PageDto {
  @IsOptional()
  @FromNumericString()
  @IsInt()
  @Min(1)
  limit?: number;

  @IsOptional()
  @IsString()
  model_name?: string;
}

@Controller()
class EchoController {
  @Post('echo/submit')
  @HttpCode(200)
  submit(@Body() dto: SubmitDto): SubmitDto {
    return dto;
  }

  @Get('echo/list')
  list(@Query() page: PageDto): PageDto {
    return page;
  }

  @Get('echo/tasks/:task_id')
  task(@Param('task_id') id: string): unknown {
    return { id };
  }

  @Post('echo/fail/:how')
  fail(@Param('how') how: string): never {
    if (how === 'defect') throw new TypeError('secret detail of /var/lib');
    if (how === 'standby') throw new SchedulerError('not_leading', 'another process leads');
    throw new SchedulerError('queue_full', 'the queue is full', { retryAfterSeconds: 1.5 });
  }

  @Get('undeclared')
  undeclared(): string {
    return 'never reached';
  }

  @Post('v1/things')
  @HttpCode(200)
  thing(@Body() dto: SubmitDto): SubmitDto {
    return dto;
  }
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  invalid_input: 422,
  malformed_body: 400,
  unknown_route: 404,
  method_not_allowed: 405,
  queue_full: 429,
  internal: 500,
};

/** A dialect with a shape of its own, to see whose words an answer has. */
const echo: Dialect = {
  name: 'echo',
  routes: [
    { method: 'POST', path: '/echo/submit', access: 'dialect' },
    { method: 'GET', path: '/echo/list', access: 'dialect' },
    { method: 'GET', path: '/echo/tasks/:task_id', access: 'dialect' },
    { method: 'POST', path: '/echo/fail/:how', access: 'dialect' },
  ],
  owns: (path) => path.startsWith('/echo'),
  errorAnswer: ({ code, message, details }) => ({
    status: STATUS[code] ?? 400,
    body: { status: 'error', code, message, detail: details.faults ?? message },
  }),
};

const VALID = { model_name: 'm', task_input: {} };

let app: HttpApp;

beforeAll(async () => {
  const native = nativeDialect([{ method: 'POST', path: '/v1/things', access: 'key' }]);
  app = await startHttpApp([EchoController], {
    dialects: [echo, native],
    admission: OPEN_ADMISSION,
  });
});

afterAll(() => app.close());

interface AnswerBody extends Record<string, unknown> {
  readonly code: string;
  readonly message: string;
  readonly detail: readonly Fault[];
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly json: AnswerBody;
}

async function call(
  method: string,
  path: string,
  body?: string | Buffer,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<Answer> {
  const answer = await request(`${app.url}${path}`, {
    method,
    headers: body === undefined ? {} : headers,
    body: body ?? null,
  });
  const text = await answer.body.text();
  const json = (text === '' ? undefined : JSON.parse(text)) as AnswerBody;
  return { status: answer.statusCode, headers: answer.headers, json };
}

const submit = (body: unknown): Promise<Answer> =>
  call('POST', '/echo/submit', typeof body === 'string' ? body : JSON.stringify(body));

describe('configureHttp', () => {
  it('answers a good request without telling who we are', async () => {
    const { status, headers, json } = await submit(VALID);
    expect({ status, json }).toEqual({ status: 200, json: VALID });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers).not.toHaveProperty('etag');
    expect(headers).not.toHaveProperty('x-powered-by');
  });

  it('keeps every key of a payload, and pollutes nothing', async () => {
    const input =
      '{"__proto__":{"x":1},"constructor":{"prototype":{"y":2}},"deep":[[{"__proto__":1}]]}';
    const answer = await request(`${app.url}/echo/submit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"model_name":"m","unknown":1,"__proto__":{"z":3},"task_input":${input}}`,
    });
    expect(await answer.body.text()).toBe(`{"model_name":"m","task_input":${input}}`);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  describe('refuses a bad body with every fault and its place', () => {
    it.each([
      ['a missing field', { task_input: {} }, ['body', 'model_name'], 'missing', 'is missing'],
      ['a wrong type', { ...VALID, model_name: 7 }, ['body', 'model_name'], 'type', 'got 7'],
      ['an empty text', { ...VALID, model_name: '' }, ['body', 'model_name'], 'length', 'got ""'],
      [
        'a list as payload',
        { ...VALID, task_input: [1] },
        ['body', 'task_input'],
        'type',
        'a list',
      ],
      ['null', { ...VALID, port: null }, ['body', 'port'], 'type', 'got null'],
      [
        'a number out of range',
        { ...VALID, port: 0 },
        ['body', 'port'],
        'range',
        'less than 1; got 0',
      ],
      ['a numeric text', { ...VALID, port: '80' }, ['body', 'port'], 'type', 'integer'],
      ['a list as body', '[]', ['body'], 'type', 'a JSON object; got a list'],
      ['a text as body', '"x"', ['body'], 'type', 'a JSON object; got a string'],
      ['null as body', 'null', ['body'], 'type', 'got null'],
      ['NUL', '{"model_name":"a\\u0000"}', ['body'], 'value', 'NUL'],
      ['a lone surrogate', '{"model_name":"\\ud800"}', ['body'], 'value', 'surrogate'],
      ['2^53+1', '{"task_input":{"n":9007199254740993}}', ['body'], 'value', '9007199254740993'],
      ['1e999', '{"task_input":{"n":1e999}}', ['body'], 'value', '1e999'],
      ['depth', `{"task_input":${'[['.repeat(4_500)}`, ['body'], 'range', 'nesting'],
    ])('%s', async (_name, body, loc, type, text) => {
      const { status, json } = await submit(body);
      expect(status).toBe(422);
      expect(json.detail).toContainEqual({ loc, type, msg: expect.stringContaining(text) });
      expect(json.message).toBe(json.detail[0]?.msg);
    });
  });

  it('takes an empty body for an empty object', async () => {
    for (const body of ['', undefined]) {
      const { status, json } = await call('POST', '/echo/submit', body);
      expect(status).toBe(422);
      expect(json.detail.map((fault) => fault.type)).toEqual(['missing', 'missing']);
    }
  });

  it.each([
    ['text that is not JSON', '{"model_name":'],
    ['a form', 'model_name=m&task_input=1'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
  ])('refuses %s as malformed', async (_name, body) => {
    const { status, json } = await call('POST', '/echo/submit', body);
    expect({ status, code: json.code }).toEqual({ status: 400, code: 'malformed_body' });
  });

  it('reads query values once, as text, and as numbers where the DTO asks for it', async () => {
    const { json } = await call('GET', '/echo/list?limit=20&model_name=a%20b+c&other=1');
    expect(json).toEqual({ limit: 20, model_name: 'a b c' });
    expect((await call('GET', '/echo/list')).json).toEqual({});
    expect((await call('GET', '/echo/list?')).json).toEqual({});
  });

  it.each([
    ['a repeated name', 'limit=1&limit=2', 'limit'],
    ['an object', 'model_name[a]=1', 'model_name[a]'],
    ['a list', 'limit%5B%5D=1', 'limit[]'],
    ['NUL', 'model_name=%00', 'model_name'],
    ['broken encoding', 'model_name=%zz', 'model_name'],
    ['an encoded lone surrogate', 'model_name=%ED%A0%80', 'model_name'],
    ['a text for a number', 'limit=ten', 'limit'],
    ['an integer that cannot be kept', 'limit=9007199254740993', 'limit'],
    ['a number out of range', 'limit=0', 'limit'],
  ])('refuses a query with %s', async (_name, query, name) => {
    const { status, json } = await call('GET', `/echo/list?${query}`);
    expect(status).toBe(422);
    expect(json.detail).toMatchObject([{ loc: ['query', name] }]);
  });

  it('refuses path parameters that are not text', async () => {
    expect((await call('GET', '/echo/tasks/a%20b')).json).toEqual({ id: 'a b' });
    for (const id of ['%00', '%zz', '%ff']) {
      const { status, json } = await call('GET', `/echo/tasks/${id}`);
      expect(status).toBe(422);
      expect(json.detail).toMatchObject([{ loc: ['path', 'task_id'] }]);
    }
  });

  it('answers a wrong method with 405 and Allow, in the words of the owner', async () => {
    const get = await call('GET', '/echo/submit');
    expect(get).toMatchObject({ status: 405, json: { code: 'method_not_allowed' } });
    expect(get.headers['allow']).toBe('POST');
    const put = await call('PUT', '/echo/tasks/1', '{}');
    expect(put.status).toBe(405);
    expect(put.headers['allow']).toBe('GET, HEAD');
    const native = await call('DELETE', '/v1/things');
    expect(native.headers['content-type']).toBe('application/problem+json');
    expect(native.json).toMatchObject({ status: 405, code: 'method_not_allowed' });
  });

  it('answers an unknown path with 404, in the words of the owner', async () => {
    for (const path of ['/echo/none', '/echo/tasks/', '/ECHO/LIST', '//echo/list', '/undeclared']) {
      const { status, json } = await call('GET', path);
      expect({ path, status, code: json.code }).toEqual({
        path,
        status: 404,
        code: 'unknown_route',
      });
    }
    expect((await call('GET', '/echo/none')).json['status']).toBe('error');
    expect((await call('GET', '/none')).json).toMatchObject({
      type: 'urn:foresail:problem:unknown_route',
      title: 'Unknown path',
      status: 404,
      detail: 'there is no GET /none',
    });
  });

  it('answers HEAD like GET without a body, and OPTIONS with what is allowed', async () => {
    const head = await call('HEAD', '/echo/list');
    expect(head).toMatchObject({ status: 200, json: undefined });
    expect((await call('HEAD', '/echo/none')).status).toBe(404);
    const options = await call('OPTIONS', '/echo/list');
    expect(options).toMatchObject({ status: 200, json: undefined });
    expect(options.headers['allow']).toBe('GET, HEAD, OPTIONS');
    expect(options.headers).not.toHaveProperty('access-control-allow-origin');
    expect((await call('OPTIONS', '/echo/none')).status).toBe(404);
  });

  it('forgives one slash at the end', async () => {
    expect((await call('GET', '/echo/list/?limit=1')).json).toEqual({ limit: 1 });
  });

  it('adds Retry-After where a repeat makes sense', async () => {
    const { status, headers } = await call('POST', '/echo/fail/full');
    expect({ status, after: headers['retry-after'] }).toEqual({ status: 429, after: '2' });
    const standby = await call('POST', '/echo/fail/standby');
    expect(standby.headers['retry-after']).toBe('1');
  });

  it('shows nothing of a defect, and logs it once with its stack', async () => {
    const lines: unknown[][] = [];
    Logger.overrideLogger({
      log: () => undefined,
      warn: () => undefined,
      error: (...line: unknown[]) => void lines.push(line),
    });
    const { status, json, headers } = await call('POST', '/echo/fail/defect', '{}', {
      'content-type': 'application/json',
      'x-request-id': 'trace-7',
    });
    Logger.overrideLogger(false);
    expect(status).toBe(500);
    expect(headers['x-request-id']).toBe('trace-7');
    expect(json.message).toBe('the request failed inside; the log of request trace-7 says why');
    expect(JSON.stringify(json)).not.toMatch(/secret|TypeError|\.ts/);
    expect(lines).toEqual([
      [
        expect.stringContaining('request trace-7 failed: secret detail'),
        expect.stringContaining('TypeError'),
        'Http',
      ],
    ]);
  });

  it('replaces a request id that is long or not printable', async () => {
    for (const id of ['x'.repeat(129), 'a b', 'é']) {
      const { headers } = await call('POST', '/echo/submit', '{}', {
        'content-type': 'application/json',
        'x-request-id': id,
      });
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('answers pipelined requests in order, good and bad', async () => {
    const post = (body: string, last = ''): string =>
      `POST /echo/submit HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      `${last}Content-Length: ${body.length}\r\n\r\n${body}`;
    const answers = await sendRaw(
      app.port,
      post(JSON.stringify(VALID)) + post('{') + post('[]') + post('{}', 'Connection: close\r\n'),
    );
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual([
      'HTTP/1.1 200',
      'HTTP/1.1 400',
      'HTTP/1.1 422',
      'HTTP/1.1 422',
    ]);
  });

  it('takes no absolute target and no asterisk for a path', async () => {
    const get = (target: string): string =>
      `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    expect(await sendRaw(app.port, get('http://localhost/echo/list'))).toMatch(/^HTTP\/1.1 404/);
    expect(await sendRaw(app.port, get('*'))).toMatch(/^HTTP\/1.1 404/);
  });
});
