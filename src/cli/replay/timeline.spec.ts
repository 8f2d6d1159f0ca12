import { FakeApi, type ApiAnswer } from '../../../test/support/fake-api';
import { fixedRandom } from '../../../test/support/seeded-random';
import { attemptAnswer, taskAnswer } from '../../../test/support/task-answer';
import { ApiClient } from '../api-client';
import { Patience } from '../patience';
import { lookAt } from './timeline';

const TASK = { taskId: 'a/b 1', row: 1, model: 'm', dueMs: 0, body: '' };

describe('lookAt', () => {
  let api: FakeApi;
  let client: ApiClient;
  let status: ApiAnswer;
  let record: ApiAnswer;

  beforeEach(async () => {
    status = { body: { task_id: TASK.taskId, task_status: 'completed' } };
    record = { body: taskAnswer() };
    api = await FakeApi.start(({ path }) => (path === '/task/query' ? status : record));
    client = await ApiClient.open({ url: api.url });
  });

  afterEach(async () => {
    await client.close();
    await api.goDown();
  });

  const look = () => lookAt(client, new Patience({ limitMs: 1000, random: fixedRandom(0) }))(TASK);

  it('asks for nothing but the status while the task goes on', async () => {
    status = { body: { task_status: 'scheduled' } };

    expect(await look()).toBeNull();
    expect(api.calls.map(({ path, query }) => [path, query.get('task_id')])).toEqual([
      ['/task/query', 'a/b 1'],
    ]);
  });

  it('takes times from the history: what was not the run was a wait', async () => {
    expect(await look()).toEqual({
      state: 'succeeded',
      instanceId: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10',
      waitSeconds: 3,
      serviceSeconds: 2,
      predictedOverActual: 1.5,
    });
    expect(api.calls.at(-1)?.path).toBe('/v1/tasks/a%2Fb%201');
  });

  it('falls back to the time in the slot of the last run that ended', async () => {
    const attempts = [
      attemptAnswer({ ended_at: '2026-11-21T10:00:04.000Z' }),
      attemptAnswer({ attempt: 2, running_since: '2026-11-21T10:00:04.000Z' }),
      attemptAnswer({ attempt: 3, state: 'abandoned', ended_at: null }),
    ];
    record = { body: taskAnswer({ execution_ms: null, attempts }) };

    expect(await look()).toMatchObject({ waitSeconds: 4, serviceSeconds: 1 });
  });

  it('knows no times of a task that never ran', async () => {
    record = { body: taskAnswer({ state: 'failed', execution_ms: null, attempts: [] }) };

    expect(await look()).toEqual({
      state: 'failed',
      instanceId: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10',
      waitSeconds: null,
      serviceSeconds: null,
      predictedOverActual: null,
    });
  });

  it('tells of a task that the service does not know', async () => {
    status = { status: 404, body: { message: 'no such task' } };

    expect(await look()).toMatchObject({ state: 'unknown' });
  });

  it('asks again when the history does not show the end yet', async () => {
    record = { body: taskAnswer({ state: 'running', finished_at: null, execution_ms: null }) };

    expect(await look()).toBeNull();
  });
});
