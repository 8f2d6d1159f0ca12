import type { SchedulerError } from '../../core/errors';
import { readDto } from '../../http/read-dto';
import type { DtoClass } from '../../http/dto-fields';
import { operatorIn, toHost, toKey, toSubmission, toSubmissions } from './apr.input';
import { RegisterHostDto } from './dto/host.dto';
import { OperatorQueryDto } from './dto/job.dto';
import { SubmitJobsDto, SubmitJobDto } from './dto/submit-job.dto';

function read<T extends object>(dto: DtoClass<T>, body: object): T {
  return readDto(dto, body, 'body');
}

const PLACES = { objectionTo: (workdir: string) => (workdir === '/etc' ? 'not there' : undefined) };

const job = (body: object) => toSubmission(read(SubmitJobDto, body), PLACES);
const batch = (...jobs: object[]) => toSubmissions(read(SubmitJobsDto, { jobs }), PLACES);
const host = (body: object) => toHost(read(RegisterHostDto, body));

/** Where it is wrong, and what is said. */
function refusal(work: () => unknown): readonly [place: string, message: string] {
  try {
    work();
  } catch (error) {
    const { code, details, message } = error as SchedulerError;
    expect(code).toBe('invalid_input');
    return [details.faults?.[0]?.loc.join('.') ?? '', message];
  }
  throw new Error('it was taken');
}

describe('a job', () => {
  it('is one slot, one core and 2 GB of nobody in particular, without a limit', () => {
    expect(job({ command: 'true' })).toEqual({
      command: 'true',
      workdir: '.',
      env: {},
      project: 'default',
      design: '',
      owner: 'unknown',
      parentJobId: null,
      arrayIndex: null,
      priority: 1,
      timeoutMs: Infinity,
      slots: 1,
      cpu: 1,
      memoryGb: 2,
      needs: { labels: {}, tool: '', tokens: 1, retryLimit: 0 },
    });
  });

  it('may say all of that, numbers as text too', () => {
    const resource_request = {
      cpu: '1.5',
      memory_gb: 0,
      slots: '2',
      license_tokens: 0,
      tool_version: 'v1',
      host_labels: { os: 'linux' },
    };
    expect(
      job({ command: 'x', timeout_sec: '0.5', retry_limit: '3', resource_request }),
    ).toMatchObject({
      timeoutMs: 500,
      slots: 2,
      cpu: 1.5,
      memoryGb: 0,
      needs: { labels: { os: 'linux' }, tool: 'v1', tokens: 0, retryLimit: 3 },
    });
  });

  it.each([
    ['command', { command: ' \n' }],
    ['command', {}],
    ['priority', { priority: 1.5 }],
    ['priority', { priority: 1_000_001 }],
    ['timeout_sec', { timeout_sec: -1 }],
    ['timeout_sec', { timeout_sec: 'soon' }],
    ['retry_limit', { retry_limit: 101 }],
    ['project', { project: '' }],
    ['owner', { owner: 'x'.repeat(201) }],
    ['workdir', { workdir: '' }],
    ['workdir', { workdir: '/etc' }],
    ['env', { env: [] }],
    ['resource_request', { resource_request: 4 }],
    ['resource_request.slots', { resource_request: { slots: 0 } }],
    ['resource_request.slots', { resource_request: { slots: 0.5 } }],
    ['resource_request.cpu', { resource_request: { cpu: -0.1 } }],
    ['resource_request.memory_gb', { resource_request: { memory_gb: '2 GB' } }],
    ['resource_request.license_tokens', { resource_request: { license_tokens: -1 } }],
    ['resource_request.host_labels', { resource_request: { host_labels: 'a=b' } }],
    ['env.1X', { env: { '1X': '' } }],
    ['env.A B', { env: { 'A B': '' } }],
    ['env.', { env: { '': '' } }],
    ['env.X', { env: { X: 1 } }],
    ['env.X', { env: { X: null } }],
    ['resource_request.host_labels.os', { resource_request: { host_labels: { os: ['a'] } } }],
    ['resource_request.host_labels. ', { resource_request: { host_labels: { ' ': 'a' } } }],
    ['count', { count: 3 }],
    ['parameters', { parameters: ['a'] }],
  ])('names a wrong %s', (field, body) => {
    const good = field === 'command' ? {} : { command: 'true' };
    const [place, message] = refusal(() => job({ ...good, ...body }));
    expect(place).toBe(`body.${field}`);
    expect(message).toContain(field.split('.')[0]);
  });

  it('keeps names that objects have of themselves', () => {
    const env = JSON.parse('{"__proto__":"a","constructor":"b"}') as object;
    expect(Object.entries(job({ command: 'x', env }).env)).toEqual(Object.entries(env));
  });
});

describe('a batch', () => {
  it('makes one job of each item of an array', () => {
    const jobs = batch({ command: 'a', env: { X: '1' }, parameters: ['p', 'q'] }, { command: 'b' });
    expect(jobs.map(({ command, arrayIndex, env }) => [command, arrayIndex, env])).toEqual([
      ['a', 0, { X: '1', FORESAIL_ARRAY_INDEX: '0', FORESAIL_ARRAY_PARAMETER: 'p' }],
      ['a', 1, { X: '1', FORESAIL_ARRAY_INDEX: '1', FORESAIL_ARRAY_PARAMETER: 'q' }],
      ['b', null, {}],
    ]);
  });

  it('shares what jobs of an array need', () => {
    const [first, second] = batch({ command: 'a', count: 2 });
    expect(first?.needs).toBe(second?.needs);
  });

  it.each([
    [
      'jobs.1.env.-',
      [{ command: 'a' }, { command: 'b', env: { '-': '' } }],
      'jobs[1].env: a variable',
    ],
    ['jobs.0.workdir', [{ command: 'a', workdir: '/etc' }], 'jobs[0].workdir: not there'],
    ['jobs.0.count', [{ command: 'a', count: 2, parameters: ['x'] }], 'jobs[0].count'],
    ['jobs.0.count', [{ command: 'a', count: 0 }], 'jobs[0].count'],
    ['jobs.0.parameters.1', [{ command: 'a', parameters: ['x', 1] }], 'jobs[0].parameters'],
    ['jobs.0.parameters', [{ command: 'a', parameters: [] }], 'jobs[0].parameters'],
    ['jobs', [], 'jobs'],
    ['jobs', [{ command: 'a', count: 2_000 }, { command: 'b' }], 'jobs'],
  ])('names a wrong %s', (field, jobs, label) => {
    const [place, message] = refusal(() => batch(...jobs));
    expect([place, message.startsWith(label)]).toEqual([`body.${field}`, true]);
  });
});

describe('a host', () => {
  it('has one slot unless it says otherwise, a core and 2 GB for each', () => {
    const size = (body: object) => host({ host_id: 'a', ...body }).size;
    expect(size({})).toEqual({ slots: 1, cpu: 1, memoryGb: 2 });
    expect(size({ total_slots: 4 })).toEqual({ slots: 4, cpu: 4, memoryGb: 8 });
    expect(size({ total_cpu: 0.5, total_memory_gb: '1' })).toEqual({
      slots: 1,
      cpu: 0.5,
      memoryGb: 1,
    });
  });

  it.each([
    ['host_id', { host_id: ' ' }],
    ['host_id', { host_id: 'a\nb' }],
    ['host_id', { host_id: 'x'.repeat(201) }],
    ['total_slots', { total_slots: 0 }],
    ['total_slots', { total_slots: 1.5 }],
    ['total_cpu', { total_cpu: 0 }],
    ['total_memory_gb', { total_memory_gb: -1 }],
    ['executor_prefix', { executor_prefix: ['ssh'] }],
    ['labels', { labels: null }],
    ['labels.a', { labels: { a: 1 } }],
  ])('names a wrong %s', (field, body) => {
    const [place, message] = refusal(() => host({ host_id: 'a', ...body }));
    expect([place, message.startsWith(field)]).toEqual([`body.${field}`, true]);
  });
});

describe('operatorIn', () => {
  it.each([
    [{}, 'api'],
    [{ operator: '' }, 'api'],
    [{ operator: 'ada' }, 'ada'],
  ])('says of %j: %s', (query, operator) => {
    expect(operatorIn(readDto(OperatorQueryDto, query, 'query'))).toBe(operator);
  });
});

describe('toKey', () => {
  it('takes printable ASCII, or none', () => {
    expect([toKey(undefined), toKey('nightly 1'), toKey('x'.repeat(200))]).toEqual([
      null,
      'nightly 1',
      'x'.repeat(200),
    ]);
  });

  it.each([[''], ['x'.repeat(201)], ['é'], ['a\tb']])('refuses %j', (key) => {
    expect(refusal(() => toKey(key))[1]).toBe(
      'Idempotency-Key must be 1 to 200 printable ASCII characters',
    );
  });
});
