import { FakeApi } from '../../test/support/fake-api';
import { ApiClient, isTransient, RefusedError, UnreachableError } from './api-client';
import { EXIT } from './exit';

describe('ApiClient', () => {
  let api: FakeApi;
  let client: ApiClient;

  beforeEach(async () => {
    api = await FakeApi.start();
    client = await ApiClient.open({ url: `${api.url}/prefix`, key: 'k1' });
  });

  afterEach(async () => {
    await client.close();
    await api.goDown();
  });

  const failureOf = async (call: Promise<unknown>): Promise<RefusedError> => {
    const error: unknown = await call.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RefusedError);
    return error as RefusedError;
  };

  it('sends key and body below the path of the URL, and gives parsed JSON back', async () => {
    api.answer = () => ({ body: { status: 'success' } });

    expect(await client.post('/queue/submit', '{"n":9007199254740993}')).toEqual({
      status: 'success',
    });
    expect(await client.get('/v1/queues?a=1')).toEqual({ status: 'success' });
    expect(api.calls).toMatchObject([
      {
        method: 'POST',
        path: '/prefix/queue/submit',
        text: '{"n":9007199254740993}',
        headers: { authorization: 'Bearer k1', 'content-type': 'application/json' },
      },
      {
        method: 'GET',
        path: '/prefix/v1/queues',
        text: '',
        headers: { authorization: 'Bearer k1' },
      },
    ]);
    expect(api.calls[1]?.headers['content-type']).toBeUndefined();
  });

  it('keeps its connection open between calls', async () => {
    api.answer = () => ({ body: {} });
    for (let n = 0; n < 3; n += 1) await client.get('/');

    expect(new Set(api.calls.map(({ port }) => port)).size).toBe(1);
  });

  it('lists each fault of an input, in either dialect', async () => {
    const faults = [
      { loc: ['body', 'model_name'], msg: 'must be text', type: 'type' },
      { loc: ['body', 'tasks', 3], msg: 'is missing', type: 'missing' },
    ];
    const lines = '- body.model_name: must be text\n- body.tasks.3: is missing (422)';
    api.answer = () => ({
      status: 422,
      body: { status: 'error', message: '2 faults', detail: faults },
    });
    const swarmpilot = await failureOf(client.get('/'));
    api.answer = () => ({ status: 422, body: { title: 'x', detail: '2 faults', errors: faults } });
    const native = await failureOf(client.get('/'));

    expect(swarmpilot.message).toBe(`2 faults\n${lines}`);
    expect(native.message).toBe(`2 faults\n${lines}`);
    expect(swarmpilot.exitCode).toBe(EXIT.usage);
  });

  it('names the setting that holds the key when a key is wanted', async () => {
    api.answer = () => ({ status: 401, body: { message: 'a key is needed' } });

    const { message, exitCode } = await failureOf(client.get('/'));

    expect(message).toContain('a key is needed (401)');
    expect(message).toContain('FORESAIL_KEY');
    expect(exitCode).toBe(EXIT.failed);
  });

  it.each([
    ['seconds', '2', 2000],
    ['an unreasonable number of seconds', '86400', 60_000],
    ['a date in the past', 'Wed, 21 Oct 2015 07:28:00 GMT', 0],
    ['rubbish', 'soon', 0],
  ])('reads a Retry-After of %s', async (_, header, ms) => {
    api.answer = () => ({
      status: 429,
      body: { message: 'full' },
      headers: { 'retry-after': header },
    });

    const error = await failureOf(client.get('/'));

    expect(error.retryAfterMs).toBe(ms);
    expect(isTransient(error)).toBe(true);
  });

  it('doubts that it talks to Foresail when the answer is no JSON', async () => {
    api.answer = () => ({ body: '<html>welcome' });

    const { message } = await failureOf(client.get('/x'));

    expect(message).toBe(
      `GET ${api.url}/prefix/x answered 200 and no JSON; is it Foresail? It says: <html>welcome`,
    );
  });

  it('names URL and setting when nobody answers, and whether anything was sent', async () => {
    api.answer = () => 'cut';
    const lost: unknown = await client.get('/').catch((thrown: unknown) => thrown);
    await api.goDown();
    const refused: unknown = await client.get('/').catch((thrown: unknown) => thrown);

    expect(lost).toBeInstanceOf(UnreachableError);
    expect(lost).toMatchObject({ refused: false, exitCode: EXIT.unreachable });
    expect(refused).toMatchObject({ refused: true, exitCode: EXIT.unreachable });
    expect((refused as Error).message).toContain(`${api.url}/prefix (connection refused)`);
    expect((refused as Error).message).toContain('FORESAIL_URL');
    expect(isTransient(refused)).toBe(true);
  });

  it('gives up an answer that does not come', async () => {
    const hasty = await ApiClient.open({ url: api.url }, { answerTimeoutMs: 50 });
    api.isSilent = true;

    await expect(hasty.get('/')).rejects.toThrow('no answer in time');
    await hasty.close();
  });
});
