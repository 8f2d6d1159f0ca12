import { hostname } from 'node:os';
import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { Client } from 'undici';
import { HttpApp, sendRaw, startHttpApp } from '../../test/support/http-app';
import { admit } from './admit';
import type { Dialect, DialectRoute } from './dialect';
import type { KeyCheck } from './key-check';
import { nativeDialect, ProblemDetails } from './problem-details';

@Controller()
class DoorController {
  @Get(['live', 'document', 'read', 'v1/read'])
  read(): unknown {
    return {};
  }

  @Post(['write', 'v1/write'])
  @HttpCode(200)
  write(): unknown {
    return {};
  }
}

const dialect: Dialect = {
  ...nativeDialect([]),
  name: 'dialect',
  strictContentType: false,
  routes: [
    { method: 'GET', path: '/live', access: 'open' },
    { method: 'GET', path: '/document', access: 'document' },
    { method: 'GET', path: '/read', access: 'dialect' },
    { method: 'POST', path: '/write', access: 'dialect' },
  ],
  owns: () => false,
};
const native = nativeDialect([
  { method: 'GET', path: '/v1/read', access: 'key' },
  { method: 'POST', path: '/v1/write', access: 'key' },
]);

const KEY = 'fsk_valid';
let keysExist = false;
let lookup: KeyCheck['verify'] = (presented) => presented === KEY;

let app: HttpApp;

beforeAll(async () => {
  app = await startHttpApp([DoorController], {
    dialects: [dialect, native],
    admission: {
      trustedNetworks: ['127.0.0.2/32', '10.0.0.0/8'],
      allowedHosts: ['Foresail.example'],
      keys: { anyKeyExists: () => keysExist, verify: (presented) => lookup(presented) },
    },
  });
});

beforeEach(() => {
  keysExist = false;
  lookup = (presented) => presented === KEY;
});

afterAll(() => app.close());

/** Sends one request, from another loopback address when one is given. */
async function call(
  method: 'GET' | 'POST',
  path: string,
  headers: Record<string, string> = {},
  localAddress?: string,
): Promise<{ status: number; headers: Record<string, unknown>; json: ProblemDetails }> {
  const client = new Client(app.url, localAddress === undefined ? {} : { localAddress });
  const answer = await client.request({ method, path, headers });
  const json = (await answer.body.json()) as ProblemDetails;
  await client.close();
  return { status: answer.statusCode, headers: answer.headers, json };
}

describe('host', () => {
  it.each([
    '127.0.0.1:1',
    'LOCALHOST',
    'localhost.',
    '[::1]:8102',
    '10.1.2.3',
    hostname(),
    'foresail.EXAMPLE:443',
  ])('%s is ours', async (host) => {
    expect((await call('GET', '/read', { host })).status).toBe(200);
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '2130706433',
    '[x]',
  ])('%s is not', async (host) => {
    const { status, json, headers } = await call('GET', '/live', { host });
    expect({ status, code: json.code }).toEqual({ status: 403, code: 'forbidden' });
    expect(headers['x-request-id']).toBe(json.instance);
  });

  it('must be there, also in the oldest HTTP', async () => {
    expect(await sendRaw(app.port, 'GET /live HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 403/);
  });
});

describe('browsers', () => {
  it.each([
    ['a foreign origin', { origin: 'http://evil.example' }],
    ['the same machine, another port', { origin: 'http://127.0.0.1:1' }],
    ['no origin to speak of', { origin: 'null' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another subdomain', { 'sec-fetch-site': 'same-site' }],
  ])('may not change anything from %s', async (_name, headers) => {
    for (const path of ['/write', '/v1/write']) {
      const { status, json } = await call('POST', path, headers);
      expect({ status, code: json.code }).toEqual({ status: 403, code: 'forbidden' });
    }
    expect((await call('GET', '/read', headers)).status).toBe(200);
  });

  it('may change things from our own pages', async () => {
    const headers = { origin: app.url, 'sec-fetch-site': 'same-origin' };
    expect((await call('POST', '/v1/write', headers)).status).toBe(200);
    expect((await call('POST', '/v1/write', { 'sec-fetch-site': 'none' })).status).toBe(200);
    const named = { host: 'foresail.example', origin: 'https://foresail.example' };
    expect((await call('POST', '/v1/write', named)).status).toBe(200);
    const withPort = { host: 'foresail.example:80', origin: 'http://foresail.example' };
    expect((await call('POST', '/v1/write', withPort)).status).toBe(200);
  });
});

describe('keys', () => {
  const bearer = { authorization: `Bearer ${KEY}` };

  it('are not asked for on this machine while none exists', async () => {
    for (const path of ['/write', '/v1/write']) expect((await call('POST', path)).status).toBe(200);
  });

  it('are asked for everywhere but on open routes once one exists', async () => {
    keysExist = true;
    expect((await call('GET', '/live')).status).toBe(200);
    for (const path of ['/read', '/v1/read']) {
      const { status, headers, json } = await call('GET', path);
      expect({ status, code: json.code }).toEqual({ status: 401, code: 'unauthenticated' });
      expect(headers['www-authenticate']).toBe('Bearer');
      expect((await call('GET', path, bearer)).status).toBe(200);
      expect((await call('GET', path, { 'x-api-key': KEY })).status).toBe(200);
      expect((await call('GET', path, { authorization: `bearer  ${KEY}` })).status).toBe(200);
    }
  });

  it('must be valid where one is presented', async () => {
    const wrong = [
      { authorization: 'Bearer wrong' },
      { authorization: 'Bearer' },
      { 'x-api-key': '' },
      { authorization: 'Bearer wrong', 'x-api-key': KEY },
      { authorization: `Bearer ${KEY.padEnd(600, 'x')}` },
    ];
    for (const headers of wrong) {
      expect((await call('GET', '/read', headers)).status).toBe(401);
      expect((await call('GET', '/read', headers, '127.0.0.2')).status).toBe(401);
      expect((await call('GET', '/live', headers)).status).toBe(200);
    }
    expect((await call('GET', '/read', { authorization: 'Basic eDp5' })).status).toBe(200);
  });

  it('are not needed for a dialect in a trusted network, but for the rest', async () => {
    keysExist = true;
    expect((await call('POST', '/write', {}, '127.0.0.2')).status).toBe(200);
    expect((await call('POST', '/v1/write', {}, '127.0.0.2')).status).toBe(401);
    expect((await call('POST', '/write', {}, '127.0.0.3')).status).toBe(401);
  });

  it('are asked of strangers who want to read the documents, not on this machine', async () => {
    keysExist = true;
    expect((await call('GET', '/document')).status).toBe(200);
    expect((await call('GET', '/document', { 'x-api-key': 'wrong' })).status).toBe(401);
  });

  it('are not replaced by what a header says of the address', async () => {
    keysExist = true;
    const headers = {
      'x-forwarded-for': '10.0.0.1',
      forwarded: 'for=10.0.0.1',
      'x-real-ip': '10.0.0.1',
    };
    expect((await call('POST', '/write', headers)).status).toBe(401);
  });

  it('may be looked up somewhere slow', async () => {
    lookup = (presented) => Promise.resolve(presented === KEY);
    expect((await call('GET', '/v1/read', bearer)).status).toBe(200);
    expect((await call('GET', '/v1/read', { 'x-api-key': 'wrong' })).status).toBe(401);
    lookup = () => Promise.reject(new Error('the store is gone'));
    expect((await call('GET', '/v1/read', bearer)).status).toBe(500);
  });

  it('do not hide what is wrong with the query', async () => {
    lookup = (presented) => Promise.resolve(presented === KEY);
    expect((await call('GET', '/v1/read?a=1&a=2', bearer)).status).toBe(422);
  });
});

describe('admit', () => {
  const admission = {
    trustedNetworks: [],
    allowedHosts: [],
    keys: { anyKeyExists: () => false, verify: () => false },
  };

  it('tells what to do in the settings of the process that refuses', async () => {
    const keys = { ...admission.keys, anyKeyExists: () => true };
    const remedies = { key: 'ask the cook', host: 'KITCHEN' };
    const door = { ...admission, keys, remedies };
    const other = await startHttpApp([DoorController], { dialects: [dialect], admission: door });
    const answer = (host: string): Promise<string> =>
      sendRaw(other.port, `GET /read HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);

    expect(await answer('elsewhere')).toContain('the name of the machine and KITCHEN');
    expect(await answer('localhost')).toContain('ask the cook');
    await other.close();
  });

  it('refuses routes that are declared twice, and networks that are none', () => {
    const route: DialectRoute = { method: 'GET', path: '/a/:b', access: 'open' };
    expect(() => admit([nativeDialect([route, route])], admission)).toThrow('declared twice');
    const wrong = { ...admission, trustedNetworks: ['lan'] };
    expect(() => admit([nativeDialect([route])], wrong)).toThrow('lan is not a CIDR block');
  });
});
