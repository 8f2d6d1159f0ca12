import type { LedgerClient } from '../support/ledger-client';
import { HANG, type OriginalAnswer, type OriginalWorker } from '../support/original-worker';
import { report } from '../support/report';
import { Scenario } from '../support/scenario';
import type { Json, ServiceProcess } from '../support/service-process';
import { ENDLESS_MS, TaskDesk } from '../support/task-desk';
import { until } from '../support/until';
import { rowsOf, violationsIn } from '../support/verdict';

jest.setTimeout(90_000);

const RESULT_LIMIT_BYTES = 4_096;
const DAY_MS = 86_400_000;
const BROKEN: OriginalAnswer = { status: 500, body: { detail: 'boom' } };

/** Answers like this to the calls that match, and honestly to all others. */
function lyingTo(
  calls: RegExp,
  lie: (honest: () => Promise<OriginalAnswer>, call: string) => Promise<OriginalAnswer>,
): OriginalWorker['lie'] {
  return (call, honest) => (calls.test(call) ? lie(honest, call) : honest());
}

const ENQUEUE = /^POST \/queue\/enqueue/;
const RESULT = /^GET \/results\//;
const STATUS = /^GET \/status/;
const EVERYTHING = /./;

describe('workers that lie', () => {
  let scenario: Scenario;
  let service: ServiceProcess;
  let client: LedgerClient;
  let desk: TaskDesk;

  beforeAll(async () => {
    scenario = await Scenario.begin();
    service = await scenario.serve({ FORESAIL_RESULT_LIMIT_BYTES: String(RESULT_LIMIT_BYTES) });
    client = await scenario.client();
    desk = new TaskDesk(client, () => service);
  });

  afterAll(() => scenario.close());

  /** Nothing that was said may have spoilt a figure, or an invariant. */
  afterEach(async () => {
    const { body } = await service.get('/queue/info');
    for (const queue of body.queues as Json[]) {
      for (const figure of [queue.waiting_time_expect, queue.waiting_time_error]) {
        expect(figure).toBeGreaterThanOrEqual(0);
        expect(figure).toBeLessThan(DAY_MS);
      }
    }
    expect(await violationsIn(scenario.databaseUrl)).toEqual([]);
  });

  async function executionMsOf(taskId: string): Promise<unknown> {
    const [row] = await rowsOf<{ execution_ms: unknown }>(
      scenario.databaseUrl,
      'SELECT execution_ms FROM tasks WHERE client_task_id = $1',
      [taskId],
    );
    return row?.execution_ms;
  }

  /** The result on record, and how often the task has ended. */
  async function ended(taskId: string): Promise<{ result: unknown; ends: unknown }> {
    const { result, events } = await desk.task(taskId);
    const ends = (events as Json[]).filter(({ to }) => to === 'succeeded' || to === 'failed');
    return { result, ends: ends.length };
  }

  it('does not change a result that another worker, or the same one, reports later', async () => {
    const late = await scenario.original({ model: 'late' });
    await desk.submit({ model: 'late', serviceMs: ENDLESS_MS });
    await desk.atWorker('late');
    await late.goDeaf();
    await desk.reached('late', 'queued');
    const quick = await scenario.original({ model: 'late' });
    await until(() => quick.arrivals.length === 1, 'the other attempt');
    quick.finishAll();
    await desk.reached('late', 'succeeded');
    const before = await ended('late');
    const other = { result: { input_sha256: 'another one' } };
    for (const worker of [late, quick, quick]) {
      const said = await worker.report('/result/submit', { task_id: '1', ...other });
      expect(said).toMatchObject({ status: 200, body: { status: 'success' } });
    }
    expect(await ended('late')).toEqual(before);
    expect(before.ends).toBe(1);
  });

  it('records a result that is reported twice at the same moment once', async () => {
    const worker = await scenario.original({ model: 'twice', reporting: 'never' });
    await desk.submit({ model: 'twice', serviceMs: ENDLESS_MS });
    await desk.atWorker('twice');
    worker.finishAll();
    const result = worker.resultOf('1');
    const reports = [1, 2, 3].map(() => worker.report('/result/submit', { task_id: '1', result }));
    for (const said of await Promise.all(reports)) expect(said.status).toBe(200);
    await desk.reached('twice', 'succeeded');
    expect((await ended('twice')).ends).toBe(1);
  });

  it('takes no report of a task that another worker has, nor in the name of one', async () => {
    const [liar, honest] = [
      await scenario.original({ model: 'mine', reporting: 'never' }),
      await scenario.original({ model: 'theirs' }),
    ];
    for (const model of ['mine', 'theirs']) {
      await desk.submit({ model, serviceMs: ENDLESS_MS });
      await desk.atWorker(model);
    }
    const { id: theirs } = await desk.task('theirs');
    const lies = [
      { task_id: 'theirs' },
      { task_id: theirs as string },
      { task_id: 'mine', instance_id: honest.name },
      { task_id: 'mine', instance_id: 'nobody' },
    ];
    for (const lie of lies) {
      const body = { result: { stolen: true }, ...lie };
      const said = await liar.report('/result/submit', body);
      expect(said).toMatchObject({ status: 200, body: { status: 'error' } });
    }
    for (const model of ['mine', 'theirs']) {
      expect((await desk.task(model)).state).toMatch(/^(dispatched|running)$/);
    }
    for (const worker of [liar, honest]) worker.finishAll();
    for (const model of ['mine', 'theirs']) await desk.reached(model, 'succeeded');
  });

  it('keeps work from one that answers 500 to every start, and tries it again', async () => {
    const model = 'broken';
    const broken = await scenario.original({ model, replicas: 3 });
    broken.lie = lyingTo(ENQUEUE, () => Promise.resolve(BROKEN));
    const tasks = [1, 2, 3].map((i) => `${model}-${i}`);
    for (const taskId of tasks) await desk.submit({ model, taskId });
    await until(
      async () => (await desk.instance(broken.name)).unfit_because === 'circuit_open',
      'the open circuit',
    );
    await service.hasLogged(new RegExp(`starts at ${broken.name} go wrong`));
    const healthy = await scenario.original({ model });
    for (const taskId of tasks) await desk.reached(taskId, 'succeeded');
    expect(broken.executions).toEqual([]);
    await healthy.crash();
    await service.post('/ti/remove', { host: healthy.host, port: healthy.port });
    broken.lie = (_call, honest) => honest();
    await desk.submit({ model, taskId: `${model}-repaired` });
    await desk.reached(`${model}-repaired`, 'succeeded');
    expect(await desk.instance(broken.name)).toMatchObject({ unfit_because: null });
    await service.hasLogged(new RegExp(`${broken.name} gets work again`));
  });

  it.each([
    ['500s', BROKEN],
    ['silence', HANG],
  ])('gives tasks to others when one answers every call with %s', async (how, answer) => {
    const bad = await scenario.original({ model: how });
    bad.lie = lyingTo(EVERYTHING, () => Promise.resolve(answer));
    await desk.submit({ model: how });
    await desk.instanceIs(bad.name, 'lost');
    await scenario.original({ model: how });
    const { attempts } = await desk.reached(how, 'succeeded');
    expect((attempts as Json[]).at(-1).instance_id).not.toBe((await desk.instance(bad.name)).id);
    expect(bad.executions).toEqual([]);
  });

  it('runs a task elsewhere whose start hangs', async () => {
    const hanging = await scenario.original({ model: 'hanging' });
    hanging.lie = lyingTo(ENQUEUE, () => Promise.resolve(HANG));
    await desk.submit({ model: 'hanging' });
    await until(async () => (await desk.task('hanging')).attempts.length > 0, 'the first attempt');
    await scenario.original({ model: 'hanging' });
    await desk.reached('hanging', 'succeeded');
    await desk.attemptsOf('hanging', 'lost', 'ended');
  });

  it.each([
    ['no JSON', { status: 200, body: '<html>It works!</html>' }],
    ['another shape', { status: 200, body: { task_id: { id: 1 } } }],
    ['half of it', { status: 200, body: '{"task_id": "1' }],
  ])('runs a task elsewhere whose start is answered with %s', async (what, answer) => {
    const model = `garbage: ${what}`;
    const garbled = await scenario.original({ model });
    garbled.lie = lyingTo(ENQUEUE, async (honest) => {
      await honest(); // It takes the task, executes it, and reports an id that it never gave.
      return answer;
    });
    await desk.submit({ model });
    await until(() => garbled.arrivals.length > 0, 'the first attempt');
    await scenario.original({ model });
    await desk.reached(model, 'succeeded');
    expect((await ended(model)).ends).toBe(1);
  });

  it.each([
    ['a text', { status: 200, body: { status: 'completed', result: 'x'.repeat(10_000) } }],
    [
      'a body without end',
      {
        status: 200,
        pour: (response) => {
          const chunk = Buffer.alloc(64 * 1_024, ' ');
          const pour = (): void => {
            while (!response.destroyed && response.write(chunk));
          };
          response.on('drain', pour);
          pour();
        },
      },
    ],
  ] satisfies [string, OriginalAnswer][])(
    'fails a task whose result is too large: %s',
    async (what, answer) => {
      const model = `huge: ${what}`;
      const boaster = await scenario.original({ model, reporting: 'never' });
      boaster.lie = lyingTo(RESULT, () => Promise.resolve(answer));
      await desk.submit({ model, ending: 'failed' });
      const { failure, result } = await desk.reached(model, 'failed');
      expect(failure).toMatchObject({ kind: 'worker_error' });
      expect(failure.message).toContain('result too large');
      expect(result).toBeNull();
    },
  );

  it.each(['-5', '"NaN"', 'NaN', '1e308', '1e999', '3600000', 'null'])(
    'records no execution time of %s, whether it is asked for or reported',
    async (time) => {
      const asked = `asked: ${time}`;
      const told = `told: ${time}`;
      const first = await scenario.original({ model: asked, reporting: 'never' });
      first.lie = lyingTo(RESULT, async (honest) => {
        const { body, ...rest } = await honest();
        const text = JSON.stringify(body);
        return {
          ...rest,
          body: text.replace(/"execution_time":[^,}]*/, `"execution_time":${time}`),
        };
      });
      const second = await scenario.original({ model: told, reporting: 'never' });
      await desk.submit({ model: asked });
      await desk.submit({ model: told, serviceMs: ENDLESS_MS });
      await desk.atWorker(told);
      second.finishAll();
      const result = JSON.stringify(second.resultOf('1'));
      const { status } = await service.send(
        'POST',
        '/result/submit',
        `{"task_id":"1","instance_id":"${second.name}","execution_time":${time},"result":${result}}`,
      );
      expect(status).toBeLessThan(500);
      for (const taskId of [asked, told]) await desk.reached(taskId, 'succeeded');
      expect(await executionMsOf(asked)).toBeNull();
      // A report that is refused is no report: then the result was asked for, with its own time.
      const isRefused = status >= 400;
      expect((await executionMsOf(told)) !== null).toBe(isRefused);
    },
  );

  it('follows one that serves another model all of a sudden', async () => {
    const fickle = await scenario.original({ model: 'before' });
    await desk.submit({ model: 'before', taskId: 'before-1', serviceMs: ENDLESS_MS });
    await desk.atWorker('before-1');
    await desk.submit({ model: 'before', taskId: 'before-2', serviceMs: ENDLESS_MS });
    fickle.model = 'after';
    await until(async () => (await desk.instance(fickle.name)).model === 'after', 'the move');
    await scenario.original({ model: 'before' });
    await desk.submit({ model: 'before', taskId: 'before-3' });
    await desk.reached('before-3', 'succeeded');
    fickle.finishAll();
    await desk.reached('before-1', 'succeeded');
    await desk.submit({ model: 'after' });
    const { id } = await desk.instance(fickle.name);
    for (const worker of scenario.originals) worker.finishAll();
    await until(async () => {
      for (const worker of scenario.originals) worker.finishAll();
      return (await desk.task('before-2')).state === 'succeeded';
    }, 'the end of what waited');
    expect((await desk.reached('after', 'succeeded')).instance_id).toBe(id);
  });

  it('survives replicas that jump, to numbers that cannot be', async () => {
    const jumpy = await scenario.original({ model: 'jumpy' });
    const numbers = [1, 4_096, 0, 2, 1e9, -1, 1.5, '3', 1];
    let turn = 0;
    jumpy.lie = lyingTo(STATUS, async (honest) => {
      const { body, ...rest } = await honest();
      const replicas_running = numbers[turn++ % numbers.length];
      return { ...rest, body: { ...(body as object), replicas_running } };
    });
    const tasks = Array.from({ length: 20 }, (_, i) => `jumpy-${i}`);
    for (const taskId of tasks) await desk.submit({ model: 'jumpy', taskId, serviceMs: 100 });
    for (const taskId of tasks) await desk.reached(taskId, 'succeeded');
    expect(jumpy.executions).toHaveLength(tasks.length);
  });

  it('recognises a worker of the other generation at the same address', async () => {
    const worker = await scenario.original({ model: 'generation', reporting: 'never' });
    await desk.submit({ model: 'generation', taskId: 'generation-1' });
    await desk.reached('generation-1', 'succeeded');
    await worker.crash();
    worker.generation = 'later';
    await worker.comeUp();
    const address = `${worker.host}:${worker.port}`;
    await until(async () => (await desk.instance(address))?.health === 'online', 'its new name');
    await desk.submit({ model: 'generation', taskId: 'generation-2' });
    await desk.reached('generation-2', 'succeeded');
    await worker.crash();
    worker.generation = 'first';
    await worker.comeUp();
    await until(async () => (await desk.instance(worker.name))?.health === 'online', 'the old one');
    await desk.submit({ model: 'generation', taskId: 'generation-3' });
    await desk.reached('generation-3', 'succeeded');
    expect(worker.executions).toHaveLength(3);
  });

  it('has kept every promise all the same', async () => {
    await scenario.settled();
    const { faults, ...figures } = await scenario.verdict();
    report('workers lying', figures);
    expect(faults).toEqual([]);
    expect(client.surprises).toEqual([]);
  });
});

describe('a worker that fails what others complete', () => {
  it('is quarantined, tried with one task, and used again when that succeeds', async () => {
    const scenario = await Scenario.begin();
    try {
      const service = await scenario.serve();
      const desk = new TaskDesk(await scenario.client(), () => service);
      const bad = await scenario.original({ model: 'm' });
      const good = await scenario.original({ model: 'm' });
      bad.breaks = 'CUDA error: out of memory';
      const why = async (): Promise<unknown> => (await desk.instance(bad.name)).unfit_because;
      const submit = (): Promise<unknown> =>
        service.post('/queue/submit', {
          model_name: 'm',
          task_input: {},
          metadata: { service_ms: 20 },
        });
      await until(async () => {
        await submit();
        return (await why()) === 'quarantined';
      }, 'the quarantine');
      await service.hasLogged(
        new RegExp(`"level":50[^\\n]*${bad.name} fails tasks that others complete`),
      );
      expect(good.executions.length).toBeGreaterThan(0);
      const failed = bad.executions.length;
      await until(async () => {
        await submit();
        return bad.executions.length > failed;
      }, 'the trial');
      bad.breaks = null;
      // Fit is also one whose pause is over and that waits for its trial: hence several successes.
      await until(async () => {
        await submit();
        return bad.executions.filter(({ ok }) => ok).length > 3 && (await why()) === null;
      }, 'the end of the quarantine');
      await scenario.settled();
      expect(await violationsIn(scenario.databaseUrl)).toEqual([]);
    } finally {
      await scenario.close();
    }
  });
});
