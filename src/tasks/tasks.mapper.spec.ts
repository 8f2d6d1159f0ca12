import { NO_OUTLOOK } from '../core/forecast';
import { dispatchId, instanceId, instant, strategyName, taskId } from '../core/units';
import type { TaskView } from './task-view';
import { known, taskAnswer } from './tasks.mapper';

const AT = new Date('2026-11-21T10:00:00.250Z');
const VIEW: TaskView = {
  id: taskId('id-1'),
  kind: 'model',
  clientId: 'c',
  queueName: 'm',
  state: 'failed',
  instanceId: instanceId('i-1'),
  attemptNo: 1,
  submittedWallMs: AT.getTime(),
  finishedWallMs: AT.getTime() + 1_000,
  executionMs: 12.5,
  result: '{"n":1.0}',
  failure: { kind: 'worker_error', message: 'out of memory' },
  prediction: { method: 'metadata', meanMs: 100 },
};
const TIMELINE: Parameters<typeof taskAnswer>[2] = {
  attempts: [
    {
      taskId: taskId('id-1'),
      attemptNo: 1,
      dispatchId: dispatchId('d-1'),
      instanceId: instanceId('i-1'),
      registration: 1,
      speed: 1,
      state: 'ended',
      remoteId: '7',
      reservedAt: AT,
      sentAt: AT,
      runningSince: null,
      endedAt: null,
      executionMs: 12.5,
      vacated: false,
      decision: {
        strategy: strategyName('shortest_queue'),
        decidedAt: instant(AT.getTime()),
        candidates: 2,
        waitMs: 1.5,
        completionMs: 101.5,
        runnerUp: { instanceId: instanceId('i-2'), waitMs: 30, completionMs: 80 },
        unfitBecause: { draining: 1 },
      },
    },
  ],
  events: [
    {
      id: 1,
      taskId: taskId('id-1'),
      seq: 1,
      type: 'submitted',
      fromState: null,
      toState: 'queued',
      attemptNo: 0,
      instanceId: null,
      at: AT,
      message: 'submitted',
      operator: null,
      epoch: 1,
    },
  ],
};
const EMPTY: typeof TIMELINE = { attempts: [], events: [] };

describe('taskAnswer', () => {
  it('tells everything about a task, times in ISO 8601', () => {
    const text = taskAnswer(VIEW, NO_OUTLOOK, TIMELINE);
    expect(JSON.parse(text)).toEqual({
      id: 'id-1',
      client_task_id: 'c',
      kind: 'model',
      model: 'm',
      state: 'failed',
      instance_id: 'i-1',
      submitted_at: '2026-11-21T10:00:00.250Z',
      finished_at: '2026-11-21T10:00:01.250Z',
      execution_ms: 12.5,
      prediction: { method: 'metadata', service_ms: 100 },
      failure: { kind: 'worker_error', message: 'out of memory' },
      waiting: null,
      forecast: null,
      attempts: [
        {
          attempt: 1,
          dispatch_id: 'd-1',
          instance_id: 'i-1',
          state: 'ended',
          remote_id: '7',
          reserved_at: '2026-11-21T10:00:00.250Z',
          sent_at: '2026-11-21T10:00:00.250Z',
          running_since: null,
          ended_at: null,
          execution_ms: 12.5,
          decision: {
            strategy: 'shortest_queue',
            decided_at: '2026-11-21T10:00:00.250Z',
            candidates: 2,
            wait_ms: 1.5,
            completion_ms: 101.5,
            runner_up: { instance_id: 'i-2', wait_ms: 30, completion_ms: 80 },
            unfit_because: { draining: 1 },
          },
        },
      ],
      events: [
        {
          seq: 1,
          type: 'submitted',
          from: null,
          to: 'queued',
          attempt: 0,
          instance_id: null,
          at: '2026-11-21T10:00:00.250Z',
          message: 'submitted',
        },
      ],
      result: { n: 1 },
    });
    expect(text).toContain('"result":{"n":1.0}}');
  });

  it('knows no decision of an attempt from before decisions were recorded', () => {
    const attempts = TIMELINE.attempts.map((attempt) => ({ ...attempt, decision: null }));
    const text = taskAnswer(VIEW, NO_OUTLOOK, { ...TIMELINE, attempts });
    expect(JSON.parse(text)).toMatchObject({ attempts: [{ decision: null }] });
  });

  it('has null for what is not there yet', () => {
    const live = { ...VIEW, finishedWallMs: null, result: null, failure: null };
    const answer: unknown = JSON.parse(taskAnswer(live, NO_OUTLOOK, EMPTY));
    expect(answer).toMatchObject({ finished_at: null, result: null, failure: null, events: [] });
  });
});

describe('taskAnswer of a task that waits', () => {
  const at = (ms: number) => instant(AT.getTime() + ms);

  it('tells why, and when it will run', () => {
    const outlook = {
      waiting: { because: { busy: 2, draining: 1 }, plannedOn: instanceId('i-1'), ahead: 3 },
      forecast: { start: { p50: at(1), p90: at(2) }, end: { p50: at(3), p90: at(4) } },
    };
    expect(JSON.parse(taskAnswer(VIEW, outlook, EMPTY))).toMatchObject({
      waiting: { because: { busy: 2, draining: 1 }, planned_instance_id: 'i-1', ahead: 3 },
      forecast: {
        start_p50: '2026-11-21T10:00:00.251Z',
        start_p90: '2026-11-21T10:00:00.252Z',
        end_p50: '2026-11-21T10:00:00.253Z',
        end_p90: '2026-11-21T10:00:00.254Z',
      },
    });
  });

  it('ends where dates do', () => {
    const never = { p50: at(1), p90: instant(1e18) };
    const outlook = { waiting: null, forecast: { start: never, end: never } };
    expect(JSON.parse(taskAnswer(VIEW, outlook, EMPTY))).toMatchObject({
      forecast: { start_p90: '9999-12-31T23:59:59.999Z' },
    });
  });
});

describe('known', () => {
  it('names the task that is not there', () => {
    expect(known('c', VIEW)).toBe(VIEW);
    expect(() => known('c"', undefined)).toThrow(
      expect.objectContaining({ code: 'unknown_task', message: 'there is no task "c\\""' }),
    );
  });
});
