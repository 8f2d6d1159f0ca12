import { ConformanceRig } from '../support/conformance-rig';
import { ExampleRun } from '../support/example-run';
import type { Json } from '../support/service-process';
import { until } from '../support/until';

jest.setTimeout(120_000);

describe('examples/openai-proxy', () => {
  let rig: ConformanceRig;
  let upstream: ExampleRun;

  beforeAll(async () => {
    rig = await ConformanceRig.start({ FORESAIL_STATUS_POLL_MS: '200' });
    upstream = await pretendUpstream('0');
  });

  afterAll(async () => {
    await rig.close();
    await upstream.stop();
  });

  async function pretendUpstream(port: string): Promise<ExampleRun> {
    const run = ExampleRun.start('openai-proxy/pretend-upstream.mjs', [port]);
    await run.firstLine();
    return run;
  }

  const ask = (question: string): ExampleRun =>
    ExampleRun.start('openai-proxy/ask.mjs', ['chat', question], { FORESAIL_URL: rig.service.url });

  async function instance(): Promise<Json> {
    const { instances } = (await rig.get('/v1/instances')).body as { instances: Json[] };
    return instances[0];
  }

  it('answers a question through the queue, and waits while the server is away', async () => {
    const url = await upstream.firstLine();
    const engine = ['--engine', 'openai', '--upstream', url, '--upstream-model', 'parrot'];
    const worker = await rig.worker('--model', 'chat', '--replicas', '2', ...engine);
    const first = ask('Why is the sky blue?');

    expect([await first.ended, first.output]).toEqual([
      0,
      'You asked: Why is the sky blue?\n(7 tokens)\n',
    ]);
    expect(await instance()).toMatchObject({ model: 'chat', slots: 2, unfit_because: null });

    await upstream.stop();
    await until(async () => (await instance()).slots === 0, 'the scheduler to see the outage');
    expect(await instance()).toMatchObject({ health: 'online', unfit_because: 'no_replicas' });
    const refused = await worker.post('/queue/enqueue', { input_data: { messages: [] } });
    expect([refused.status, refused.body]).toEqual([
      503,
      { detail: expect.stringContaining(`the upstream ${url} takes no work: `) },
    ]);
    const second = ask('And now?');
    await until(async () => {
      const { queues } = (await rig.get('/v1/queues')).body as { queues: { waiting: number }[] };
      return queues[0]?.waiting === 1;
    }, 'the question to wait');
    upstream = await pretendUpstream(new URL(url).port);

    expect([await second.ended, second.output]).toEqual([0, 'You asked: And now?\n(4 tokens)\n']);
  });

  it('tells the client what the server refused', async () => {
    const url = await upstream.firstLine();
    await rig.worker('--model', 'other', '--engine', 'openai', '--upstream', url);
    await rig.submit('refused', { model_name: 'other', task_input: { messages: [] } });

    expect(await rig.completed('refused')).toMatchObject({
      result: { error: 'the upstream answered 404: The model other does not exist.' },
    });
  });
});
