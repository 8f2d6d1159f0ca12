import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeApi, type ApiAnswer, type ApiCall } from '../../../test/support/fake-api';
import { fixedRandom } from '../../../test/support/seeded-random';
import { until } from '../../../test/support/until';
import { SyncedLines } from '../../ops/synced-lines';
import { ApiClient } from '../api-client';
import { EXIT } from '../exit';
import { Patience } from '../patience';
import type { Ending } from './follower';
import { runReplay, type ReplayOutcome } from './run-replay';
import { workloadOf, type ReplayTask } from './workload';

const SUCCEEDED: Ending = {
  state: 'succeeded',
  instanceId: 'i',
  waitSeconds: 1,
  serviceSeconds: 2,
  predictedOverActual: 1,
};

const succeeds: (task: ReplayTask) => Promise<Ending | null> = () => Promise.resolve(SUCCEEDED);

function tasksOf(count: number): readonly ReplayTask[] {
  const rows = Array.from({ length: count }, (_, index) => ({
    row: index + 1,
    arrivalSeconds: index,
    model: 'm',
    inputTokens: 1,
    outputTokens: 1,
  }));
  const options = { prefix: 't', speed: 1000, timeScale: 1, seed: 1 };
  return workloadOf(rows, { ...options, predict: true, serviceTimes: false });
}

/** Takes each task once, by its id, as the scheduler does. */
class TaskBook {
  readonly known = new Set<string>();

  submit({ text }: ApiCall): ApiAnswer {
    const { task_id: taskId } = JSON.parse(text) as { task_id: string };
    this.known.add(taskId);
    return { body: { status: 'success', task_id: taskId, scheduled_ti: 'i' } };
  }
}

describe('runReplay', () => {
  let api: FakeApi;
  let client: ApiClient;
  let folder: string;
  let book: TaskBook;

  beforeEach(async () => {
    book = new TaskBook();
    api = await FakeApi.start((call) => book.submit(call));
    client = await ApiClient.open({ url: api.url }, { connections: 4 });
    folder = await mkdtemp(join(tmpdir(), 'foresail-replay-'));
  });

  afterEach(async () => {
    await client.close();
    await api.goDown();
    await rm(folder, { recursive: true });
  });

  const ledgerPath = (): string => join(folder, 'ledger.jsonl');

  const replay = async (
    tasks: readonly ReplayTask[],
    { patienceMs = 60_000, look = succeeds, abort = new AbortController() } = {},
  ): Promise<ReplayOutcome & { shown: [number, number] }> => {
    const shown: [number, number] = [0, 0];
    const ledger = await SyncedLines.open(ledgerPath());
    const outcome = await runReplay(tasks, {
      submitting: client,
      patience: new Patience({
        limitMs: patienceMs,
        random: fixedRandom(0.05),
        signal: abort.signal,
      }),
      concurrency: 4,
      look,
      ledger,
      abort,
      progress: { accepted: () => (shown[0] += 1), ended: () => (shown[1] += 1) },
    });
    await ledger.close();
    return { ...outcome, shown };
  };

  const ledgerOf = async (event: string): Promise<string[]> => {
    const lines = (await readFile(ledgerPath(), 'utf8')).trimEnd().split('\n');
    return lines
      .map((line) => JSON.parse(line) as { event: string; task_id: string })
      .filter((entry) => entry.event === event)
      .map((entry) => entry.task_id);
  };

  const ids = (count: number): string[] =>
    Array.from({ length: count }, (_, index) => `t-${index + 1}`);

  it('submits each task at its time and follows it to its end', async () => {
    const began = performance.now();
    const arrivals: number[] = [];
    api.answer = (call) => {
      arrivals.push(performance.now() - began);
      return book.submit(call);
    };

    const outcome = await replay(tasksOf(100));

    expect(outcome).toMatchObject({ submitted: 100, shown: [100, 100] });
    expect(outcome.endings).toHaveLength(100);
    expect(outcome.stoppedBy).toBeUndefined();
    expect([...book.known].sort()).toEqual(ids(100).sort());
    expect(arrivals[99]).toBeGreaterThanOrEqual(99);
    expect((await ledgerOf('accepted')).sort()).toEqual(ids(100).sort());
    expect((await ledgerOf('ended')).sort()).toEqual(ids(100).sort());
  });

  it('survives a scheduler that dies after it took tasks and before it answered', async () => {
    let toDie = 20;
    const death: { over?: Promise<void> } = {};
    api.answer = (call) => {
      const answer = book.submit(call);
      toDie -= 1;
      if (toDie > 0) return answer;
      death.over ??= api.goDown();
      return 'cut';
    };
    const going = replay(tasksOf(60));
    await until(() => death.over !== undefined, 'the death of the scheduler');
    await death.over;
    const before = api.calls.length;
    toDie = Infinity;
    await api.comeUp();

    const outcome = await going;

    expect(outcome).toMatchObject({ submitted: 60, shown: [60, 60] });
    expect(book.known.size).toBe(60);
    expect(api.calls.length - before).toBeGreaterThan(40);
    const accepted = await ledgerOf('accepted');
    expect(accepted).toHaveLength(60);
    expect(new Set(accepted).size).toBe(60);
  });

  it('repeats what is refused for now under the same id', async () => {
    const refusals = new Map([
      [1, 429],
      [2, 503],
      [3, 429],
    ]);
    api.answer = (call) => {
      const status = refusals.get(api.calls.length);
      return status === undefined ? book.submit(call) : { status, body: { message: 'full' } };
    };

    const outcome = await replay(tasksOf(5));

    expect(outcome.submitted).toBe(5);
    expect(api.calls).toHaveLength(8);
    expect(book.known.size).toBe(5);
  });

  it('asks for the end of a task until it has one', async () => {
    const asked = new Map<string, number>();
    const look = ({ taskId }: ReplayTask): Promise<Ending | null> => {
      const times = (asked.get(taskId) ?? 0) + 1;
      asked.set(taskId, times);
      return Promise.resolve(times === 2 ? SUCCEEDED : null);
    };

    const outcome = await replay(tasksOf(30), { look });

    expect(outcome.endings).toHaveLength(30);
    expect([...asked.values()]).toEqual(Array.from({ length: 30 }, () => 2));
  });

  it('stops all at the first task that is refused for good, and keeps what it knows', async () => {
    api.answer = (call) =>
      api.calls.length === 10 ? { status: 422, body: { message: 'no' } } : book.submit(call);

    const outcome = await replay(tasksOf(1000), { look: () => Promise.resolve(null) });

    expect(outcome.stoppedBy).toMatchObject({ status: 422, exitCode: EXIT.usage });
    expect(outcome.submitted).toBeGreaterThanOrEqual(6);
    expect(outcome.submitted).toBeLessThan(20);
    expect(await ledgerOf('accepted')).toHaveLength(outcome.submitted);
  });

  it('ends when it is interrupted, for the reason given', async () => {
    const abort = new AbortController();
    const going = replay(tasksOf(100_000), { abort });
    await until(() => api.calls.length > 10, 'some submissions');
    abort.abort(new Error('enough'));

    const { stoppedBy, submitted } = await going;

    expect(stoppedBy?.message).toBe('enough');
    expect(submitted).toBeGreaterThan(5);
  });

  it('gives up when nothing succeeds for too long', async () => {
    await api.goDown();

    const outcome = await replay(tasksOf(3), { patienceMs: 50 });

    expect(outcome).toMatchObject({ submitted: 0, endings: [] });
    expect(outcome.stoppedBy).toMatchObject({ exitCode: EXIT.unreachable });
  });
});
