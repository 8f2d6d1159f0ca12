import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliRun } from '../support/cli-run';
import { FakeApi, type ApiAnswer, type ApiCall } from '../support/fake-api';
import { taskAnswer } from '../support/task-answer';
import { until } from '../support/until';

// Every test starts processes, on a machine that has other things to do.
jest.setTimeout(60_000);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foresail-cli-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('replay', () => {
  let api: FakeApi;
  let trace: string;
  /** Tasks as the scheduler knows them; they end with the second question. */
  let tasks: Map<string, number>;

  beforeEach(async () => {
    tasks = new Map();
    api = await FakeApi.start(answer);
    trace = join(folder, 'trace.csv');
    const rows = Array.from({ length: 60 }, (_, index) => `${index},conv,400,40`);
    await writeFile(trace, ['arrival_s,model,input_tokens,output_tokens', ...rows].join('\n'));
  });

  afterEach(async () => {
    await api.goDown();
  });

  const answer = ({ path, text, query }: ApiCall): ApiAnswer => {
    if (path === '/queue/submit') {
      const { task_id: taskId } = JSON.parse(text) as { task_id: string };
      tasks.set(taskId, tasks.get(taskId) ?? 0);
      return { body: { status: 'success', task_id: taskId, scheduled_ti: 'i1' } };
    }
    const taskId = query.get('task_id') ?? decodeURIComponent(path.split('/').at(-1) ?? '');
    const asked = tasks.get(taskId);
    if (asked === undefined) return { status: 404, body: { message: 'unknown task' } };
    if (path !== '/task/query') return { body: taskAnswer({ client_task_id: taskId }) };
    tasks.set(taskId, asked + 1);
    return { body: { task_status: asked > 0 ? 'completed' : 'scheduled' } };
  };

  const replay = (...flags: string[]): CliRun =>
    CliRun.start(['replay', '--trace', trace, '--task-prefix', 'run', ...flags], {
      env: { FORESAIL_URL: api.url },
    });

  const ledgerOf = async (path: string): Promise<{ event: string; task_id: string }[]> => {
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as { event: string; task_id: string });
  };

  it('submits a trace, follows it to its end and prints figures', async () => {
    const { code, out, err } = await replay('--speed', '1000', '--limit', '20').end;

    expect([code, err]).toEqual([0, '']);
    const times = (seconds: number): object => ({
      ...{ mean: seconds, p50: seconds, p95: seconds, p99: seconds, max: seconds },
    });
    const { wallSeconds, ...figures } = JSON.parse(out) as { wallSeconds: number };
    expect(wallSeconds).toBeGreaterThan(0);
    expect(figures).toEqual({
      submitted: 20,
      completed: 20,
      failed: 0,
      wait: times(3),
      service: times(2),
      predictedOverActual: { p50: 1.5 },
    });
    expect(tasks.size).toBe(20);
    expect(JSON.parse(api.calls[0]?.text ?? '')).toEqual({
      model_name: 'conv',
      task_id: 'run-1',
      task_input: { row: 1 },
      metadata: { input_tokens: 400, output_tokens: 40, row: 1, predicted_ms: 1130 },
    });
  });

  it('survives a scheduler that is killed and comes back', async () => {
    const ledger = join(folder, 'survivor.jsonl');
    const death: { over?: Promise<void> } = {};
    api.answer = (call) => {
      const whole = answer(call);
      if (tasks.size < 25) return whole;
      death.over ??= api.goDown();
      return 'cut';
    };
    const run = replay('--speed', '200', '--ledger', ledger, '-o', 'table');
    await until(() => death.over !== undefined, 'the death of the scheduler');
    await death.over;
    api.answer = answer;
    await api.comeUp();
    const { code, out, err } = await run.end;

    expect(code).toBe(0);
    expect(err).toBe('60 tasks, run-1 to -60\n');
    expect(out).toMatch(/^60 submitted, 60 completed, 0 failed in /);
    expect(tasks.size).toBe(60);
    const accepted = (await ledgerOf(ledger)).filter(({ event }) => event === 'accepted');
    expect(new Set(accepted.map(({ task_id: id }) => id)).size).toBe(60);
    expect(accepted).toHaveLength(60);
  });

  it('ends with 1 when tasks did not succeed, and counts them', async () => {
    api.answer = (call) => {
      const whole = answer(call);
      return call.path === '/v1/tasks/run-2' ? { body: taskAnswer({ state: 'failed' }) } : whole;
    };
    const { code, out, err } = await replay('--speed', '1000', '--limit', '3').end;

    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ submitted: 3, completed: 2, failed: 1 });
    expect(err).toBe('error: 1 tasks did not succeed\n');
  });

  it('gives up after its patience, and says what it knows', async () => {
    await api.goDown();
    const { code, out, err } = await replay('--patience', '0.2').end;

    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject({ submitted: 0, wait: { mean: null } });
    expect(err).toContain('nothing has succeeded for');
  });

  it('can be interrupted, and says what it knows', async () => {
    const run = replay('--speed', '1');
    await until(() => tasks.size > 0, 'the first submission');
    run.child.kill('SIGINT');
    const { code, out, err } = await run.end;

    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ failed: 0 });
    expect(err).toContain('interrupted');
  });
});
