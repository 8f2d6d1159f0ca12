import { once } from 'node:events';
import { connect } from 'node:net';
import {
  Body,
  Controller,
  Header,
  HttpCode,
  Param,
  Post,
  Query,
  UseInterceptors,
  type NestInterceptor,
} from '@nestjs/common';
import { IsString } from 'class-validator';
import { request } from 'undici';
import { HttpApp, sendRaw, startHttpApp } from '../../test/support/http-app';
import { SchedulerError } from '../core/errors';
import { IsJsonObject, type JsonObject } from './dto-fields';
import { FrontDoor } from './front-door';
import { Gone, type SignalOfGone } from './gone';
import { payloadText } from './payload-text';
import type { Dialect } from './dialect';
import { nativeDialect } from './problem-details';

class CallDto {
  @IsString()
  name!: string;

  @IsJsonObject()
  payload: JsonObject = {};
}

/** Who waits for the client of `/hot/wait`, and what they saw. */
const waiting: { came: (signal: AbortSignal) => void } = { came: () => undefined };

@Controller('/hot')
class HotController {
  private readonly greeting = 'hello';

  @Post('/call')
  @FrontDoor()
  @HttpCode(200)
  async call(@Body() body: CallDto): Promise<object> {
    await Promise.resolve();
    return { said: `${this.greeting} ${body.name}`, payload: payloadText(body.payload) };
  }

  @Post('/at-once')
  @FrontDoor()
  @HttpCode(202)
  atOnce(@Body() body: CallDto): object {
    return { name: body.name };
  }

  @Post('/fail')
  @FrontDoor()
  @HttpCode(200)
  async fail(@Body() { name }: CallDto): Promise<object> {
    await Promise.resolve();
    if (name === 'defect') throw new TypeError('secret detail of /var/lib');
    throw new SchedulerError('queue_full', 'the queue is full', { retryAfterSeconds: 1.5 });
  }

  @Post('/wait')
  @FrontDoor()
  @HttpCode(200)
  async wait(@Body() { name }: CallDto, @Gone() signalOfGone: SignalOfGone): Promise<object> {
    const gone = signalOfGone();
    waiting.came(gone);
    if (name !== 'nobody' && !gone.aborted) await once(gone, 'abort');
    return {};
  }

  @Post('/cold')
  @HttpCode(200)
  cold(@Body() { name }: CallDto): object {
    return { name };
  }
}

const paths = ['call', 'at-once', 'fail', 'wait', 'cold'].map((name) => `/hot/${name}`);
const native = nativeDialect([]);
const hot: Dialect = {
  ...native,
  name: 'hot',
  strictContentType: false,
  routes: paths.map((path) => ({ method: 'POST', path, access: 'dialect' }) as const),
  owns: (path) => path.startsWith('/hot'),
};
const KEY = 'fsl_0123456789ab_secret';
const options = {
  dialects: [hot, native] as const,
  bodyLimits: { '/hot/at-once': 64 },
  admission: {
    trustedNetworks: ['127.0.0.0/8'],
    allowedHosts: [],
    keys: {
      anyKeyExists: () => false,
      verify: (key: string) => (key.startsWith('fsl_') ? Promise.resolve(key === KEY) : false),
    },
  },
};

let express: HttpApp;
let door: HttpApp;

beforeAll(async () => {
  express = await startHttpApp([HotController], options);
  door = await startHttpApp([HotController], options, 'front door');
});
afterAll(() => Promise.all([express.close(), door.close()]));

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const GOOD = '{"name":"Ada","payload":{"b":-0,"a":1,"a":2}}';

async function answerOf(app: HttpApp, sent: Sent): Promise<object> {
  const { method = 'POST', path = '/hot/call', headers = {}, body = GOOD } = sent;
  const answer = await request(`${app.url}${path}`, {
    method: method as 'POST',
    headers: { ...JSON_TYPE, 'x-request-id': 'r-1', ...headers },
    ...(method === 'GET' ? {} : { body }),
  });
  const text = await answer.body.text();
  return { status: answer.statusCode, headers: { ...answer.headers, date: 'now' }, text };
}

describe('the front door', () => {
  it.each<[string, Sent, number]>([
    ['a good call', {}, 200],
    ['a good call that is answered at once', { path: '/hot/at-once', body: '{"name":"x"}' }, 202],
    ['one that waits for nobody', { path: '/hot/wait', body: '{"name":"nobody"}' }, 200],
    ['a call that is not marked', { path: '/hot/cold' }, 200],
    ['a slash at the end', { path: '/hot/call/' }, 200],
    ['a query', { path: '/hot/call?a=1' }, 200],
    ['a broken query', { path: '/hot/call?a=1&a=2' }, 422],
    ['another method', { method: 'GET' }, 405],
    ['another case', { path: '/hot/Call' }, 404],
    ['no body', { body: '' }, 422],
    ['a missing field', { body: '{}' }, 422],
    ['a wrong field', { body: '{"name":7,"payload":[]}' }, 422],
    ['a list', { body: '[]' }, 422],
    ['no JSON', { body: '{"name"' }, 400],
    ['no UTF-8', { body: Buffer.from([0x22, 0xff, 0x22]) }, 400],
    ['NUL', { body: '{"name":"\\u0000"}' }, 422],
    ['a body that is too large', { path: '/hot/at-once', body: `"${'x'.repeat(64)}"` }, 413],
    ['a form', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 200],
    ['a page of another site', { headers: { origin: 'http://evil.example' } }, 403],
    ['another host', { headers: { host: 'evil.example' } }, 403],
    ['text', { headers: { 'content-type': 'text/plain' } }, 415],
    ['a compressed body', { headers: { 'content-encoding': 'gzip' } }, 415],
    ['a valid key', { headers: { authorization: `Bearer ${KEY}` } }, 200],
    ['a key that is looked up and wrong', { headers: { 'x-api-key': 'fsl_wrong' } }, 401],
    ['a key that is wrong at sight', { headers: { 'x-api-key': 'wrong' } }, 401],
    ['a refusal', { path: '/hot/fail' }, 429],
    ['a defect', { path: '/hot/fail', body: '{"name":"defect"}' }, 500],
  ])('answers as Express does: %s', async (_name, sent, status) => {
    const answer = await answerOf(door, sent);
    expect(answer).toEqual(await answerOf(express, sent));
    expect(answer).toMatchObject({ status });
  });

  it('answers as Express does: a body in pieces that grows too large', async () => {
    const head = 'POST /hot/at-once HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r-1\r\n';
    const body = 'Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n';
    const sent = `${head}${body}${'x'.repeat(100)}\r\n0\r\n\r\n`;
    const said = async (app: HttpApp): Promise<string> =>
      (await sendRaw(app.port, sent)).replace(/^Date: .*$/m, '');
    const answer = await said(door);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer.split('\r\n').sort()).toEqual((await said(express)).split('\r\n').sort());
  });

  it.each([
    ['Express', () => express],
    ['the front door', () => door],
  ])('tells a handler behind %s that the client has gone', async (_name, app) => {
    const came = new Promise<AbortSignal>((resolve) => (waiting.came = resolve));
    const client = connect(app().port, '127.0.0.1');
    client.write(
      'POST /hot/wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\n{"name":"x"}',
    );
    const gone = await came;
    expect(gone.aborted).toBe(false);
    client.destroy();
    await once(gone, 'abort');
  });

  it.each([
    ['Express', () => express],
    ['the front door', () => door],
  ])('does not call a client gone that %s has answered', async (_name, app) => {
    const came = new Promise<AbortSignal>((resolve) => (waiting.came = resolve));
    await answerOf(app(), { path: '/hot/wait', body: '{"name":"nobody"}' });
    await answerOf(app(), {});
    expect((await came).aborted).toBe(false);
  });
});

class Layer implements NestInterceptor {
  intercept(): never {
    throw new Error('never called');
  }
}

@Controller('/odd')
class OddBodies {
  @Post('/nothing')
  @FrontDoor()
  @HttpCode(200)
  nothing(): object {
    return {};
  }
}
@Controller('/odd')
class NoDto {
  @Post('/object')
  @FrontDoor()
  @HttpCode(200)
  object(@Body() body: object): object {
    return body;
  }
}
@Controller('/odd')
class PartOfBody {
  @Post('/part')
  @FrontDoor()
  @HttpCode(200)
  part(@Body('name') body: CallDto): object {
    return body;
  }
}
@Controller('/odd')
class QueryToo {
  @Post('/query')
  @FrontDoor()
  @HttpCode(200)
  query(@Body() body: CallDto, @Query() query: CallDto): object {
    return { body, query };
  }
}
@Controller('/odd/:id')
class WithParameter {
  @Post('/call')
  @FrontDoor()
  @HttpCode(200)
  call(@Body() body: CallDto, @Param('id') id: string): object {
    return { body, id };
  }
}
@Controller('/odd')
class TwoPaths {
  @Post(['/a', '/b'])
  @FrontDoor()
  @HttpCode(200)
  call(@Body() body: CallDto): object {
    return body;
  }
}
@Controller('/odd')
class NoStatus {
  @Post('/status')
  @FrontDoor()
  status(@Body() body: CallDto): object {
    return body;
  }
}
@Controller('/odd')
class WithHeader {
  @Post('/header')
  @FrontDoor()
  @HttpCode(200)
  @Header('X-Odd', '1')
  header(@Body() body: CallDto): object {
    return body;
  }
}
@Controller('/odd')
@UseInterceptors(Layer)
class WithLayer {
  @Post('/layer')
  @FrontDoor()
  @HttpCode(200)
  layer(@Body() body: CallDto): object {
    return body;
  }
}
@Controller('/odd')
class Undeclared {
  @Post('/undeclared')
  @FrontDoor()
  @HttpCode(200)
  undeclared(@Body() body: CallDto): object {
    return body;
  }
}

describe('a mark on a handler that the front door cannot call', () => {
  it.each([
    [OddBodies, 'OddBodies.nothing cannot be reached by the front door: it must take a @Body()'],
    [NoDto, 'it must take a @Body() of a DTO class'],
    [PartOfBody, 'it must take a @Body() of a DTO class'],
    [QueryToo, 'it must take a @Body() of a DTO class'],
    [WithParameter, 'it needs one path without parameters'],
    [TwoPaths, 'it needs one path without parameters'],
    [NoStatus, 'it needs an @HttpCode()'],
    [WithHeader, 'Nest has to do something around it'],
    [WithLayer, 'Nest has to do something around it'],
    [Undeclared, 'POST /odd/undeclared is declared in no dialect'],
  ])('stops the start: %p', async (controller, why) => {
    await expect(startHttpApp([controller], options, 'front door')).rejects.toThrow(why);
  });
});
