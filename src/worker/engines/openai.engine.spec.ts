import {
  cutAfter,
  FakeOpenAi,
  generate,
  inTurn,
  refuse,
  sendJson,
  stream,
  type UpstreamAnswer,
} from '../../../test/support/fake-openai';
import { until } from '../../../test/support/until';
import { keptLog } from '../../../test/support/worker-fakes';
import type { JsonObject } from '../../http/dto-fields';
import type { EngineOutcome, EngineTask } from '../engine';
import { OpenAiEngine, type OpenAiEngineOptions } from './openai.engine';

const task = (input: JsonObject, metadata: JsonObject = {}): EngineTask => ({
  id: 't1',
  dispatchId: 'd1',
  model: 'served',
  input,
  metadata,
});

const CHAT = task({ messages: [{ role: 'user', content: 'hello there' }], temperature: 0 });

const answered = (content: string): unknown =>
  expect.objectContaining({
    ok: true,
    result: expect.objectContaining({
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
    }),
  });

const failure = (text: string | RegExp): EngineOutcome => ({
  ok: false,
  error: typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text),
});

describe('OpenAiEngine', () => {
  let upstream: FakeOpenAi;
  let engines: OpenAiEngine[];
  let events: () => string[];

  beforeEach(async () => {
    upstream = await FakeOpenAi.start();
    engines = [];
  });

  afterEach(async () => {
    for (const engine of engines) await engine.close();
    await upstream.goDown();
  });

  async function open(options: Partial<OpenAiEngineOptions> = {}): Promise<OpenAiEngine> {
    const kept = keptLog();
    events = kept.events;
    const engine = await OpenAiEngine.open(
      {
        url: upstream.url,
        model: null,
        apiKey: null,
        speed: 1,
        taskTimeoutMs: 60_000,
        resultLimitBytes: 1_048_576,
        ...options,
      },
      {
        // Pauses of 0 ms, and looks that no test has to wait for.
        random: { next: () => 0 },
        log: kept.log,
        intervals: { whileUpMs: 20, whileDownMs: 20 },
      },
    );
    engines.push(engine);
    return engine;
  }

  const run = (engine: OpenAiEngine, of = CHAT): Promise<EngineOutcome> =>
    engine.run(of, new AbortController().signal);

  it('collects a streamed chat completion, with its counts of tokens', async () => {
    const engine = await open({ model: 'up', apiKey: 'k' });

    expect(await run(engine)).toEqual({
      ok: true,
      result: {
        id: 'cmpl-1',
        object: 'chat.completion',
        created: 1_700_000_000,
        model: 'up',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: 'you said: hello there' },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
        usage: { prompt_tokens: 2, completion_tokens: 4, total_tokens: 6 },
      },
      facts: { input_tokens: 2, output_tokens: 4 },
    });
    expect(upstream.calls).toMatchObject([
      {
        endpoint: 'chat/completions',
        headers: { authorization: 'Bearer k' },
        body: { ...CHAT.input, model: 'up', stream: true, stream_options: { include_usage: true } },
      },
    ]);
    expect(engine.estimate(CHAT).expectedMs).toBeGreaterThan(0);
  });

  it('gives the same answer whether it comes in one piece or in many', async () => {
    const engine = await open();
    const many = await run(engine);
    const one = await run(engine, task({ ...CHAT.input, stream: false }));
    upstream.answer = (response, call) =>
      generate(response, { ...call, body: { ...call.body, stream: false } });
    const unasked = await run(engine);

    expect(one).toEqual(many);
    expect(unasked).toEqual(many);
    expect(upstream.calls.map(({ body }) => body['stream'])).toEqual([true, undefined, true]);
  });

  it('makes completions of prompts and embeddings of inputs', async () => {
    const engine = await open();

    expect(await run(engine, task({ prompt: 'x y' }))).toMatchObject({
      ok: true,
      result: { object: 'text_completion', choices: [{ text: 'you said: x y' }] },
      facts: { input_tokens: 2, output_tokens: 4 },
    });
    expect(await run(engine, task({ input: 'x y' }))).toMatchObject({
      ok: true,
      result: { model: 'served', data: [{ embedding: [0.25, -0.5] }] },
      facts: { input_tokens: 2 },
    });
    expect(upstream.calls.map(({ endpoint }) => endpoint)).toEqual(['completions', 'embeddings']);
  });

  it.each([
    ['in the input', { prompt: 'x', messages: [], endpoint: '/v1/completions' }, {}],
    ['in the metadata', { prompt: 'x', messages: [] }, { endpoint: 'completions' }],
  ])('calls the endpoint that is named %s', async (_name, input, metadata) => {
    await run(await open(), task(input, metadata));

    expect(upstream.calls).toMatchObject([{ endpoint: 'completions', body: { prompt: 'x' } }]);
    expect(upstream.calls[0]?.body).not.toHaveProperty('endpoint');
  });

  it.each<[string, JsonObject, string]>([
    ['nothing to do', { text: 'x' }, 'has none of messages, prompt, input'],
    ['another endpoint', { endpoint: 'images/generations' }, 'endpoint is "images/generations"'],
    ['an endpoint that is none', { endpoint: 7 }, 'allowed are chat/completions, completions'],
  ])('fails a task with %s, without a call', async (_name, input, message) => {
    expect(await run(await open(), task(input))).toEqual(failure(message));
    expect(upstream.calls).toEqual([]);
  });

  it.each<[string, UpstreamAnswer, string | RegExp]>([
    ['a model it does not have', refuse(404, 'no model m'), /answered 404: no model m$/],
    ['a fault of its own', refuse(500, 'CUDA out of memory'), 'answered 500: CUDA out of memory'],
    [
      "Ollama's words",
      (response) => sendJson(response, { error: 'model not found' }, 404),
      'answered 404: model not found',
    ],
    [
      "FastAPI's words",
      (response) => sendJson(response, { detail: [{ msg: 'x' }] }, 422),
      'answered 422: {"detail":[{"msg":"x"}]}',
    ],
    ['text', (response) => sendJson(response, '<h1>No</h1>', 403), 'answered 403: <h1>No</h1>'],
    [
      'an error in the stream',
      (response) => stream(response, [{ error: { message: 'KV cache is full', code: 400 } }]),
      'the upstream failed: KV cache is full',
    ],
    ['an error as success', (response) => sendJson(response, { error: 'no' }), 'failed: no'],
    ['no JSON', (response) => sendJson(response, 'hello'), 'is no JSON object: "hello"'],
    ['a list', (response) => sendJson(response, []), 'is no JSON object'],
    ['a stream of no JSON', (response) => stream(response, ['hello']), 'is no JSON object'],
  ])('fails the task in the words of the upstream: %s', async (_name, answer, message) => {
    upstream.answer = answer;

    expect(await run(await open())).toEqual(failure(message));
    expect(upstream.calls).toHaveLength(1);
  });

  it.each([429, 503])('repeats a call that met %i, within bounds', async (status) => {
    const busy = refuse(status, 'too many requests');
    upstream.answer = inTurn(busy, busy, generate);
    const engine = await open();

    expect(await run(engine)).toEqual(answered('you said: hello there'));
    expect(upstream.calls).toHaveLength(3);
    upstream.answer = busy;
    expect(await run(engine)).toEqual(failure(/too many requests \(given up after 5 tries\)$/));
    expect(upstream.calls).toHaveLength(8);
  });

  it('waits as long as a busy upstream asks for', async () => {
    upstream.answer = inTurn(refuse(429, 'later', { 'retry-after': '1' }), generate);
    const engine = await open();
    const startedAt = performance.now();
    await run(engine);

    expect(performance.now() - startedAt).toBeGreaterThan(990);
  });

  it('repeats a call whose connection broke before anything came', async () => {
    const cut: UpstreamAnswer = (response) => void response.destroy();
    upstream.answer = inTurn(cut, cutAfter(0), generate);
    const engine = await open();

    expect(await run(engine)).toEqual(answered('you said: hello there'));
    upstream.answer = cut;
    expect(await run(engine)).toEqual(failure(/^the upstream gave no answer: .* 5 tries\)$/));
  });

  it.each<[string, UpstreamAnswer, string]>([
    ['is cut', cutAfter(2), 'the connection to the upstream broke'],
    [
      'ends early',
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n');
      },
      'ended its stream before the end of the answer',
    ],
  ])('fails a task whose stream %s when something was there', async (_name, answer, message) => {
    upstream.answer = answer;

    expect(await run(await open())).toEqual(failure(message));
    expect(upstream.calls).toHaveLength(1);
  });

  it('takes a stream that ends without saying so, when all choices have ended', async () => {
    upstream.answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const choice = { index: 0, delta: { content: 'a' }, finish_reason: 'stop', logprobs: null };
      response.end(`data: ${JSON.stringify({ choices: [choice] })}`);
    };

    expect(await run(await open())).toEqual(answered('a'));
  });

  it('asks without a stream where the upstream knows none, and remembers it', async () => {
    upstream.answer = (response, call) => {
      const answer = call.body['stream'] === undefined ? generate : refuse(400, 'stream: unknown');
      answer(response, call);
    };
    const engine = await open();

    expect(await run(engine)).toEqual(answered('you said: hello there'));
    expect(await run(engine)).toEqual(answered('you said: hello there'));
    expect(upstream.calls.map(({ body }) => body['stream'])).toEqual([true, undefined, undefined]);
  });

  it.each<[string, UpstreamAnswer]>([
    ['in one piece', (response) => sendJson(response, { text: 'x'.repeat(2000) })],
    [
      'in many pieces',
      (response) => {
        const piece = { choices: [{ index: 0, delta: { content: 'x'.repeat(100) } }] };
        stream(response, Array<JsonObject>(20).fill(piece));
      },
    ],
    [
      'in a piece without an end',
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`data: ${'x'.repeat(2000)}`);
      },
    ],
  ])('fails a task whose answer is too large: %s', async (_name, answer) => {
    upstream.answer = answer;

    expect(await run(await open({ resultLimitBytes: 1024 }))).toEqual(
      failure('result too large: more than 1024 bytes'),
    );
  });

  it('ends at the time limit, of its own or of the task', async () => {
    upstream.answer = () => undefined;
    const engine = await open({ taskTimeoutMs: 300 });

    expect(await run(engine)).toEqual(failure('timed out after 300 ms'));
    expect(await run(engine, task(CHAT.input, { timeout_ms: 50.5 }))).toEqual(
      failure('timed out after 50.5 ms'),
    );
  });

  it('gives up when told to', async () => {
    upstream.answer = () => undefined;
    const engine = await open();
    const controller = new AbortController();
    const outcome = engine.run(CHAT, controller.signal);
    await until(() => upstream.calls.length === 1, 'the call');
    controller.abort();

    await expect(outcome).rejects.toThrow('aborted');
  });

  it('knows when its upstream is away, and lets tasks wait for it', async () => {
    await upstream.goDown();
    const engine = await open();
    expect(engine.outage).toMatch(
      /^the upstream http:\/\/127.0.0.1:\d+\/v1 takes no work: .*ECONNREFUSED/,
    );
    const outcome = run(engine);
    expect(await run(engine, task(CHAT.input, { timeout_ms: 50 }))).toEqual(
      failure(/^timed out after 50 ms; the upstream .*ECONNREFUSED/),
    );
    await upstream.comeUp();

    expect(await outcome).toEqual(answered('you said: hello there'));
    expect(engine.outage).toBeNull();
    await upstream.goDown();
    await until(() => engine.outage !== null, 'the outage');
    expect(events()).toEqual(['upstream_down', 'upstream_up', 'upstream_down']);
  });

  it('finds out by a call that nobody is there', async () => {
    const engine = await open();
    await upstream.goDown();
    const outcome = run(engine);
    await until(() => engine.outage !== null, 'the outage');
    await upstream.comeUp();

    expect(await outcome).toEqual(answered('you said: hello there'));
  });

  it('takes no work while its upstream does not list its models', async () => {
    upstream.modelsStatus = 401;
    const engine = await open();

    expect(engine.outage).toContain('takes no work: it answered 401 to GET /v1/models');
    upstream.modelsStatus = 200;
    await until(() => engine.outage === null, 'the end of the outage');
  });
});
