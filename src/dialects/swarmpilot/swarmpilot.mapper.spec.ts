import {
  draftOf,
  exactly,
  fleetRig,
  instanceDraftOf,
  instanceOf,
} from '../../../test/support/builders';
import { SchedulerError, type ErrorCode } from '../../core/errors';
import { TASK_STATES, type TaskState } from '../../core/task';
import { instanceId, taskId } from '../../core/units';
import { QueuesService } from '../../queues/queues.service';
import type { BatchOutcome } from '../../tasks/batch-submitter';
import type { TaskView } from '../../tasks/task-view';
import {
  allTasks,
  batchTaken,
  cleared,
  queueInfo,
  registered,
  removed,
  resultAnswer,
  submitted,
  taskAnswer,
  toQueue,
  toRegistration,
  toRemovalRef,
  toSubmission,
  toSubmissions,
} from './swarmpilot.mapper';

const INSTANCE = instanceOf('gpu7');

const VIEW: TaskView = {
  id: taskId('id-1'),
  kind: 'model',
  clientId: null,
  queueName: 'm',
  state: 'succeeded',
  instanceId: instanceId('gpu7'),
  attemptNo: 1,
  submittedWallMs: 1_700_000_000_250.75,
  finishedWallMs: null,
  executionMs: null,
  result: null,
  failure: null,
  prediction: { method: 'default', meanMs: 1_000 },
};

describe('registrations', () => {
  it('take null for a model that is not named', () => {
    const at = { host: 'gpu7', port: 8100 };
    expect(toRegistration({ ...at, model_name: 'm' })).toEqual({ ...at, modelName: 'm' });
    expect(toRegistration({ ...at, model_name: null })).toEqual({ ...at, modelName: undefined });
    expect(toRegistration(at)).toEqual({ ...at, modelName: undefined });
    expect(toRegistration({ ...at, host: 'GPU7.Test' })).toMatchObject({ host: 'gpu7.test' });
  });

  it('are answered with the id of the instance', () => {
    expect(registered(INSTANCE, undefined)).toEqual({
      status: 'success',
      message: 'registered gpu7.test:8000 for m',
      ti_uuid: 'gpu7',
    });
  });

  it('say when another instance seems to be the same worker', () => {
    expect(registered(INSTANCE, INSTANCE).message).toBe(
      'registered gpu7.test:8000 for m; gpu7.test:8000 is gpu7 too: is that the same worker?',
    );
  });
});

describe('removals', () => {
  it('name the instance by its id, else by its address', () => {
    expect(toRemovalRef({ ti_uuid: 'u', host: 'h', port: 1 })).toEqual({ id: 'u' });
    expect(toRemovalRef({ ti_uuid: null, host: 'h', port: 1 })).toEqual({ host: 'h', port: 1 });
    expect(toRemovalRef({ host: 'H', port: 1 })).toEqual({ host: 'h', port: 1 });
  });

  it.each([
    [{}, 'host'],
    [{ host: null, port: null }, 'host'],
    [{ port: 1 }, 'host'],
    [{ host: 'h' }, 'port'],
  ])('need one of the two whole, unlike %j', (dto, name) => {
    const fault = { loc: ['body', name], type: 'missing', msg: expect.stringContaining(name) };
    expect(() => toRemovalRef(dto)).toThrow(
      expect.objectContaining({ code: 'invalid_input', details: { faults: [fault] } }),
    );
  });

  it('are answered with what was removed, or with what was asked for', () => {
    expect(removed({ ti_uuid: 'gpu7' }, INSTANCE)).toEqual({
      status: 'success',
      message: 'removed gpu7.test:8000',
      host: 'gpu7.test',
      port: 8000,
      ti_uuid: 'gpu7',
    });
    const message = 'no instance "h:1" is registered';
    const unknown = { status: 'error', message, ti_uuid: null };
    expect(removed({ host: 'h', port: 1 }, undefined)).toEqual({ ...unknown, host: 'h', port: 1 });
    expect(removed({ ti_uuid: 'u' }, undefined)).toMatchObject({ host: null, port: null });
  });
});

describe('submissions', () => {
  it('keep the payload objects themselves', () => {
    const input = { a: 1 };
    const metadata = { b: 2 };
    const dto = { model_name: 'm', task_input: input, metadata };
    const submission = toSubmission({ ...dto, task_id: 'c' });
    expect(submission).toEqual({
      kind: 'model',
      queueName: 'm',
      clientId: 'c',
      taskInput: input,
      metadata,
    });
    expect(submission.taskInput).toBe(input);
    expect(submission.metadata).toBe(metadata);
    expect(toSubmission({ ...dto, task_id: null }).clientId).toBeNull();
    expect(toSubmission(dto).clientId).toBeNull();
  });

  it("are answered with the client's id where there is one", () => {
    const receipt = { taskId: taskId('ours'), clientId: null, instanceId: instanceId('i') };
    const answer = { status: 'success', scheduled_ti: 'i' };
    expect(submitted(receipt)).toEqual({ ...answer, task_id: 'ours' });
    expect(submitted({ ...receipt, clientId: 'theirs' })).toEqual({ ...answer, task_id: 'theirs' });
    expect(submitted({ ...receipt, instanceId: null }).scheduled_ti).toBeNull();
  });
});

describe('batches', () => {
  const item = { task_input: {}, metadata: {} };
  const taken: BatchOutcome = {
    kind: 'accepted',
    receipt: { taskId: taskId('ours'), clientId: null, instanceId: instanceId('i') },
  };
  const refused = (code: ErrorCode): BatchOutcome => ({
    kind: 'refused',
    error: new SchedulerError(code, `because of ${code}`),
  });
  const answer = (...outcomes: BatchOutcome[]): ReturnType<typeof batchTaken> =>
    batchTaken({ model_name: 'm', tasks: outcomes.map(() => item) }, outcomes);

  it('are submissions of one model, each within the limit', () => {
    const tasks = [{ ...item, task_id: 'a' }, item];
    const own = { kind: 'model', queueName: 'm', taskInput: {}, metadata: {}, limitBytes: 9 };
    expect(toSubmissions({ model_name: 'm', tasks }, 9)).toEqual([
      { ...own, clientId: 'a' },
      { ...own, clientId: null },
    ]);
  });

  it('tell of each task in its place', () => {
    const tasks = [item, { ...item, task_id: 'theirs' }, item];
    const outcomes = [taken, refused('queue_full'), refused('queue_full')];
    const failure = { status: 'error', scheduled_ti: null, error: 'because of queue_full' };
    expect(batchTaken({ model_name: 'm', tasks }, outcomes)).toEqual({
      status: 'partial',
      message: '1 of 3 tasks were taken',
      total_tasks: 3,
      successful_tasks: 1,
      failed_tasks: 2,
      results: [
        { index: 0, status: 'success', task_id: 'ours', scheduled_ti: 'i', error: null },
        { index: 1, task_id: 'theirs', ...failure },
        { index: 2, task_id: null, ...failure },
      ],
    });
  });

  it('are a success when all were taken, an error when none was', () => {
    expect(answer(taken, taken).status).toBe('success');
    expect(answer(refused('no_instance'), refused('queue_full')).status).toBe('error');
    expect(answer(refused('store_unavailable'), refused('queue_full')).status).toBe('error');
    expect(answer(refused('store_unavailable'), taken).status).toBe('partial');
  });

  it.each(['store_unavailable', 'not_leading'] as const)('fail whole when all is %s', (code) => {
    expect(() => answer(refused(code), refused(code))).toThrow(expect.objectContaining({ code }));
  });
});

describe('queueInfo', () => {
  it('gives expectation and deviation of the wait at each instance, in ms', () => {
    const { fleet, clock } = fleetRig();
    fleet.addInstance(instanceDraftOf('gpu7'));
    fleet.submit(draftOf({ prediction: exactly(100) }));
    const queues = new QueuesService(fleet, clock);
    expect(queueInfo(queues.waits('model', 'm'))).toEqual({
      status: 'success',
      queues: [
        {
          model_name: 'm',
          ti_uuid: 'gpu7',
          waiting_time_expect: 100,
          waiting_time_error: 0,
        },
      ],
    });
    expect(queueInfo(queues.waits('model', 'other'))).toEqual({ status: 'success', queues: [] });
  });
});

describe('taskAnswer', () => {
  const STATUS: Record<TaskState, string> = {
    queued: 'queued',
    dispatching: 'queued',
    dispatched: 'scheduled',
    running: 'scheduled',
    paused: 'scheduled',
    stopping: 'scheduled',
    succeeded: 'completed',
    failed: 'completed',
    cancelled: 'completed',
    timed_out: 'completed',
    released: 'completed',
  };
  const parsed = (view: Partial<TaskView>): unknown => JSON.parse(taskAnswer({ ...VIEW, ...view }));

  it.each(TASK_STATES)('calls %s by the name that SwarmPilot has for it', (state) => {
    expect(parsed({ state })).toMatchObject({ task_status: STATUS[state] });
  });

  it('gives ids, place and time, the time in whole milliseconds', () => {
    expect(parsed({})).toEqual({
      task_id: 'id-1',
      task_status: 'completed',
      scheduled_ti: 'gpu7',
      submit_time: 1_700_000_000.25,
      result: null,
    });
    expect(parsed({ clientId: 'c', instanceId: null })).toMatchObject({
      task_id: 'c',
      scheduled_ti: null,
    });
  });

  it('sets the result in as it is stored', () => {
    const result = '{"n":1.0,"big":1e+20,"__proto__":{"x":[ ]}}';
    expect(taskAnswer({ ...VIEW, result })).toContain(`,"result":${result}}`);
  });

  it.each([
    ['failed', { kind: 'worker_error', message: 'out of "memory"' }, 'out of "memory"'],
    ['failed', null, 'failed'],
    ['cancelled', null, 'cancelled'],
    ['timed_out', null, 'timed out'],
  ] as const)('shows a task that %s as an error', (state, failure, error) => {
    expect(parsed({ state, failure, result: '{"half":"done"}' })).toMatchObject({
      task_status: 'completed',
      result: { error },
    });
  });

  it('shows no result before the end', () => {
    expect(parsed({ state: 'running', result: '{}' })).toMatchObject({ result: null });
  });
});

describe('the list of tasks', () => {
  const text = async (total: number, ...chunks: TaskView[][]): Promise<string> => {
    async function* tasks(): AsyncGenerator<readonly TaskView[]> {
      for (const chunk of chunks) yield Promise.resolve(chunk);
    }
    let whole = '';
    for await (const piece of allTasks({ total, tasks: tasks() })) whole += piece;
    return whole;
  };

  it('is one JSON text, in however many pieces', async () => {
    const finished = { ...VIEW, finishedWallMs: 1_700_000_001_500.5, result: '{"n":1.0}' };
    const live: TaskView = { ...VIEW, state: 'queued', clientId: 'c', instanceId: null };
    const whole = await text(7, [live, finished], [live]);
    const queued = {
      task_id: 'c',
      task_status: 'queued',
      scheduled_ti: null,
      submit_time: 1_700_000_000.25,
      model_name: 'm',
      completion_time: null,
      result: null,
    };
    expect(JSON.parse(whole)).toEqual({
      status: 'success',
      total_tasks: 7,
      tasks: [
        queued,
        {
          ...queued,
          task_id: 'id-1',
          task_status: 'completed',
          scheduled_ti: 'gpu7',
          completion_time: 1_700_000_001.5,
          result: { n: 1 },
        },
        queued,
      ],
    });
    expect(whole).toContain('"result":{"n":1.0}}');
  });

  it('may be empty', async () => {
    expect(JSON.parse(await text(0))).toEqual({ status: 'success', total_tasks: 0, tasks: [] });
  });
});

describe('what is fetched and cleared', () => {
  it('is the result alone, as it is stored', () => {
    expect(resultAnswer({ ...VIEW, result: '{"n":1.0}' })).toBe('{"result":{"n":1.0}}');
    expect(resultAnswer({ ...VIEW, state: 'running' })).toBe('{"result":null}');
    expect(resultAnswer({ ...VIEW, state: 'cancelled' })).toBe('{"result":{"error":"cancelled"}}');
  });

  it('is counted', () => {
    const message = '3 finished tasks were cleared';
    expect(cleared(3)).toEqual({ status: 'success', message, cleared_count: 3 });
  });
});

describe('toQueue', () => {
  it('means all queues when no model is named', () => {
    expect(toQueue({ name: 's' })).toBeNull();
    expect(toQueue({ name: 's', model_name: null })).toBeNull();
    expect(toQueue({ name: 's', model_name: 'm' })).toBe('model/m');
  });
});
