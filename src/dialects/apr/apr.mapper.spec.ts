import { TASK_STATES } from '../../core/task';
import { instanceId, taskId } from '../../core/units';
import { TaskEventEntity } from '../../persistence/entities/task-event.entity';
import type { JobView } from '../../tasks/job-view';
import { jobAnswer, jobDetail, jobsAnswer, summaryAnswer, toFilter } from './apr.mapper';

const AT = new Date('2026-11-21T10:00:00Z');

const JOB: JobView = {
  id: taskId('01935290-0000-7000-8000-000000000001'),
  state: 'running',
  isRetrying: false,
  instanceId: instanceId('01935290-0000-7000-8000-00000000000a'),
  hostName: 'host-a',
  command: 'true',
  workdir: '.',
  env: {},
  project: 'P1',
  design: '',
  owner: 'ada',
  parentJobId: null,
  arrayIndex: null,
  priority: 1,
  timeoutMs: Infinity,
  slots: 1,
  cpu: 1,
  memoryGb: 2,
  needs: { labels: {}, tool: '', tokens: 1, retryLimit: 0 },
  retries: 0,
  submittedAt: AT,
  startedAt: AT,
  finishedAt: null,
  updatedAt: AT,
  message: 'running',
  logPath: '/jobs/1.log',
  exitCode: null,
};

describe('jobAnswer', () => {
  it.each([
    ['queued', 'QUEUED', 'waiting'],
    ['dispatching', 'DISPATCHED', 'starting'],
    ['dispatched', 'DISPATCHED', 'starting'],
    ['running', 'RUNNING', 'running'],
    ['paused', 'PAUSED', 'paused'],
    ['stopping', 'RUNNING', 'stopping'],
    ['succeeded', 'SUCCESS', 'ended'],
    ['failed', 'FAILED', 'ended'],
    ['cancelled', 'CANCELLED', 'ended'],
    ['timed_out', 'TIMEOUT', 'ended'],
    ['released', 'CANCELLED', 'ended'],
  ] as const)('calls %s %s', (state, status, stage) => {
    expect(jobAnswer({ ...JOB, state })).toMatchObject({ status, stage });
  });

  it('calls a job that waits for its next try RETRYING', () => {
    const job = { ...JOB, state: 'queued', isRetrying: true, hostName: null } as const;
    expect(jobAnswer(job)).toMatchObject({
      status: 'RETRYING',
      stage: 'backoff',
      assigned_host_id: '',
    });
  });

  it('says 0 for no time limit, and nothing for what is not set', () => {
    expect(jobAnswer(JOB)).toMatchObject({
      timeout_sec: 0,
      started_at: '2026-11-21T10:00:00.000Z',
      finished_at: '',
      parent_job_id: '',
    });
    expect(jobAnswer({ ...JOB, timeoutMs: 1_500 }).timeout_sec).toBe(1.5);
  });
});

describe('jobDetail', () => {
  const event = (overrides: Partial<TaskEventEntity>): TaskEventEntity =>
    Object.assign(new TaskEventEntity(), {
      id: 7,
      taskId: JOB.id,
      type: 'submitted',
      at: AT,
      message: 'submitted',
      operator: null,
      ...overrides,
    });
  const told = (...events: Partial<TaskEventEntity>[]) =>
    jobDetail(JOB, { attempts: [], events: events.map(event) }).events;

  it('calls events by the names of the protocol, and leaves out what is ours alone', () => {
    const names = [
      ['submitted', 'SUBMITTED'],
      ['reserved', 'DISPATCHED'],
      ['running', 'RUNNING'],
      ['paused', 'PAUSE'],
      ['resumed', 'RESUME'],
      ['requeued', 'RETRYING'],
      ['stopping', 'STOP'],
      ['cancelled', 'CANCELLED'],
      ['succeeded', 'SUCCESS'],
      ['failed', 'FAILED'],
      ['timed_out', 'TIMEOUT'],
      ['rerun', 'RERUN'],
    ] as const;
    const events = told(...names.map(([type]) => ({ type })));
    expect(events.map(({ event_type }) => event_type)).toEqual(names.map(([, name]) => name));
    const ours = ['dispatched', 'vacated', 'attempt_ended', 'late_result'] as const;
    expect(told(...ours.map((type) => ({ type })))).toEqual([]);
  });

  it('says who did it: the owner, whoever asked, or the system', () => {
    const operators = told(
      {},
      { type: 'paused', operator: 'bob' },
      { type: 'stopping', operator: 'api' },
      { type: 'running' },
    ).map(({ operator }) => operator);
    expect(operators).toEqual(['ada', 'bob', 'api', 'system']);
    expect(told({})).toEqual([
      {
        event_id: '7',
        job_id: JOB.id,
        event_type: 'SUBMITTED',
        message: 'submitted',
        operator: 'ada',
        created_at: '2026-11-21T10:00:00.000Z',
      },
    ]);
  });
});

describe('jobsAnswer', () => {
  const written = async (...pages: JobView[][]): Promise<unknown> => {
    let text = '';
    for await (const piece of jobsAnswer(streamOf(pages))) text += piece;
    return JSON.parse(text);
  };

  it('is one envelope, however many pieces it has', async () => {
    const one = jobAnswer(JOB);
    const answer = (jobs: unknown[]) => ({ status: 200, message: 'success', data: { jobs } });
    expect(await written()).toEqual(answer([]));
    expect(await written([], [JOB])).toEqual(answer([one]));
    expect(await written([JOB, JOB], [], [JOB])).toEqual(answer([one, one, one]));
  });
});

describe('toFilter', () => {
  const NO_LIMITS = { limit: 1, offset: 0 };
  const filter = (status: string) => toFilter({ ...NO_LIMITS, status });

  it('finds every state under exactly one status', () => {
    const statuses = 'CREATED,DISPATCHED,RUNNING,PAUSED,SUCCESS,FAILED,CANCELLED,TIMEOUT,QUEUED';
    const states = statuses.split(',').flatMap((status) => filter(status).states ?? []);
    expect([...states].sort()).toEqual([...TASK_STATES].sort());
  });

  it('tells those that wait from those that wait for their next try', () => {
    expect(filter('QUEUED')).toEqual({ states: ['queued'], isRetrying: false });
    expect(filter('retrying')).toEqual({ states: ['queued'], isRetrying: true });
    expect(filter('QUEUED,RETRYING')).toEqual({ states: ['queued'] });
    expect(filter('PAUSED, RETRYING')).toEqual({ states: ['queued', 'paused'], isRetrying: true });
    expect(filter('CREATED')).toEqual({ states: [] });
  });

  it('takes owner and project as they are', () => {
    expect(toFilter({ ...NO_LIMITS, owner: 'ada', project: 'P' })).toEqual({
      owner: 'ada',
      project: 'P',
    });
  });

  it.each(['', 'DONE', 'RUNNING,', 'RUNNING;PAUSED'])('refuses %j', (status) => {
    expect(() => filter(status)).toThrow(/^status must be one or several of CREATED/);
  });
});

describe('summaryAnswer', () => {
  it('counts by status, and says which share of the finished succeeded', () => {
    const answer = summaryAnswer(
      [
        { state: 'succeeded', isRetrying: false, jobs: 2 },
        { state: 'failed', isRetrying: false, jobs: 1 },
        { state: 'queued', isRetrying: true, jobs: 3 },
        { state: 'running', isRetrying: false, jobs: 1 },
        { state: 'stopping', isRetrying: false, jobs: 1 },
      ],
      [],
    );
    expect(answer).toMatchObject({
      total_jobs: 8,
      status_counts: { SUCCESS: 2, FAILED: 1, RETRYING: 3, RUNNING: 2, QUEUED: 0 },
      finished_jobs: 3,
      success_rate: 0.6667,
    });
  });
});

async function* streamOf<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  for (const item of items) yield await Promise.resolve(item);
}
