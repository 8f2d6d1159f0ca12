import type { ApiAnswer, ApiCall } from './fake-api';
import type { Json } from './service-process';

/** A job of the fake: its record, its log, and what becomes of both with every look. */
export interface FakeJob {
  readonly record: Record<string, unknown>;
  log: string[];
  /** Called before each look at the job. */
  step?: (job: FakeJob) => void;
}

/** The calls about jobs and hosts, for tests of their clients. Jobs end when a test says so. */
export class FakeJobs {
  readonly jobs: FakeJob[] = [];
  readonly hosts: Json[] = [];
  /** What a new job gets to do. */
  step: ((job: FakeJob) => void) | undefined;

  readonly answer = (call: ApiCall): ApiAnswer => {
    const [, , what, id, action] = call.path.split('/');
    if (what === 'hosts') return this.answerHosts(call, id);
    if (call.method === 'POST' && (id === undefined || id === 'batch')) return this.submit(call);
    if (id === undefined) return this.list(call);
    const job = this.jobs.find(({ record }) => record['job_id'] === id);
    if (!job) return failure(404, `there is no job ${JSON.stringify(id)}`);
    job.step?.(job);
    if (action === 'logs') return logOf(job, call);
    if (action !== undefined) return this.control(job, action);
    return success({ ...job.record, events: [] });
  };

  /** Adds a job of that status. @returns its id */
  add(overrides: Record<string, unknown> = {}): string {
    const id = `job-${this.jobs.length + 1}`;
    const job: FakeJob = { record: { ...jobRecord(id), ...overrides }, log: [] };
    if (this.step) job.step = this.step;
    this.jobs.push(job);
    return id;
  }

  private submit({ text, path }: ApiCall): ApiAnswer {
    const body = JSON.parse(text);
    const wanted = (path.endsWith('/batch') ? body.jobs : [body]) as Record<string, unknown>[];
    const bad = wanted.findIndex(({ command }) => command === undefined);
    if (bad >= 0) return failure(400, `jobs.${bad}.command: is missing`);
    const ids = wanted.map((each) => this.add(each));
    const made = ids.map((id) => this.jobs.find(({ record }) => record['job_id'] === id)!.record);
    return success(path.endsWith('/batch') ? { jobs: made } : made[0]!);
  }

  private list({ query }: ApiCall): ApiAnswer {
    for (const job of this.jobs) job.step?.(job);
    const status = query.get('status');
    if (status?.includes(',') === true) return failure(400, 'status must be one of CREATED, …');
    const matches = ({ record }: FakeJob): boolean =>
      ['owner', 'project', 'status'].every((name) =>
        [null, record[name]].includes(query.get(name)),
      );
    const offset = Number(query.get('offset'));
    const newest = [...this.jobs].reverse().filter(matches);
    const jobs = newest.slice(offset, offset + Number(query.get('limit')));
    return success({ jobs: jobs.map(({ record }) => record) });
  }

  private control({ record }: FakeJob, action: string): ApiAnswer {
    if (action === 'rerun') {
      const made = this.add({ parent_job_id: record['job_id'] });
      return success(this.jobs.find((each) => each.record['job_id'] === made)!.record);
    }
    if (record['status'] === 'SUCCESS')
      return failure(400, `a job that is SUCCESS cannot ${action}`);
    record['status'] = { stop: 'CANCELLED', pause: 'PAUSED', resume: 'RUNNING' }[action];
    return success(record);
  }

  private answerHosts({ method, text }: ApiCall, id: string | undefined): ApiAnswer {
    if (method === 'GET') return success({ hosts: this.hosts });
    if (id !== 'register') return failure(404, 'no such call');
    const body = JSON.parse(text);
    const host = {
      ...{ host_id: body.host_id, total_slots: body.total_slots ?? 1 },
      ...{ total_cpu: body.total_cpu ?? 1, total_memory_gb: body.total_memory_gb ?? 2 },
      ...{ used_slots: 0, used_cpu: 0, used_memory_gb: 0, running_jobs: [], status: 'ONLINE' },
      ...{ labels: body.labels ?? {}, executor_prefix: body.executor_prefix ?? '' },
      last_heartbeat_at: '2026-11-21T10:00:00.000Z',
    };
    this.hosts.push(host);
    return success(host);
  }
}

function logOf({ record, log }: FakeJob, { query }: ApiCall): ApiAnswer {
  const lines = log.slice(-Number(query.get('tail')));
  return success({ job_id: record['job_id'], log_path: '/l', lines });
}

function jobRecord(id: string): Record<string, unknown> {
  return {
    ...{ job_id: id, command: 'true', project: 'default', design: '', owner: 'unknown' },
    ...{ priority: 1, timeout_sec: 0, retry_limit: 0, workdir: '.', env: {}, stage: 'waiting' },
    ...{ status: 'QUEUED', assigned_host_id: '', message: '', exit_code: null, retry_count: 0 },
    ...{ created_at: '2026-11-21T10:00:00.000Z', queued_at: '2026-11-21T10:00:00.000Z' },
    ...{ started_at: '', finished_at: '', updated_at: '', log_path: '', parent_job_id: '' },
  };
}

function success(data: object): ApiAnswer {
  return { body: { status: 200, message: 'success', data } };
}

function failure(status: number, message: string): ApiAnswer {
  return { status, body: { status, message, data: {} } };
}
