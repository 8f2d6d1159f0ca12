import { userInfo } from 'node:os';
import type { ApiClient } from './api-client';
import { Fields } from './fields';

/** States of a job that has not ended. */
export const LIVE_STATUSES = [
  'CREATED',
  'QUEUED',
  'DISPATCHED',
  'RUNNING',
  'PAUSED',
  'RETRYING',
] as const;

/** How a job ends. */
export const FINAL_STATUSES = ['SUCCESS', 'FAILED', 'CANCELLED', 'TIMEOUT'] as const;

const FINAL: ReadonlySet<string> = new Set(FINAL_STATUSES);

/** A job as the API tells it; it may be live or over. */
export interface Job {
  /** The whole record, as it came. */
  readonly fields: Fields;
  readonly id: string;
  readonly status: string;
  readonly hasEnded: boolean;
  /** Why it waits, or how it ended. */
  readonly message: string;
  /** Empty while it is nowhere. */
  readonly host: string;
  /** Null while there is none. */
  readonly exitCode: number | null;
}

/** Which jobs are meant. */
export interface JobFilter {
  readonly owner?: string;
  readonly project?: string;
  /** One status, or several with commas between them. */
  readonly status?: string;
}

/** Jobs that are asked for at once. */
const PAGE = 1_000;

/** What is in the envelope of an answer. @param call as in `GET /scheduler/hosts` */
export function dataOf(answer: unknown, call: string): Fields {
  return new Fields(answer, `the answer to ${call}`).object('data');
}

/** @throws {CommandFailure} when it is no job */
export function jobOf(fields: Fields): Job {
  const status = fields.text('status');
  return {
    fields,
    id: fields.text('job_id'),
    status,
    hasEnded: FINAL.has(status),
    message: fields.optionalText('message') ?? '',
    host: fields.optionalText('assigned_host_id') ?? '',
    exitCode: fields.optionalNumber('exit_code'),
  };
}

/** @throws {RefusedError} 404 when there is no such job */
export async function fetchJob(client: ApiClient, id: string): Promise<Job> {
  const path = jobPath(id);
  return jobOf(dataOf(await client.get(path), 'GET /scheduler/jobs/{job_id}'));
}

/** The last lines of a job's log; none while there is no log. */
export async function fetchLog(client: ApiClient, id: string, tail: number): Promise<string[]> {
  const answer = await client.get(`${jobPath(id)}/logs?tail=${tail}`);
  return dataOf(answer, 'GET /scheduler/jobs/{job_id}/logs').textList('lines');
}

/**
 * Jobs page by page, newest first, each page asked for when the one before was used; those of
 * several states in one page. A job that comes meanwhile moves the others on: none is listed twice.
 */
export async function* jobPages(
  client: ApiClient,
  filter: JobFilter,
  limit = Infinity,
): AsyncGenerator<readonly Job[]> {
  const statuses = filter.status?.split(',').map((status) => status.trim()) ?? [];
  if (statuses.length < 2) yield* pagesOf(client, filter, limit);
  else yield await jobsIn(client, statuses, filter, limit);
}

/** The service lists one state at a time. */
async function jobsIn(
  client: ApiClient,
  statuses: readonly string[],
  filter: JobFilter,
  limit: number,
): Promise<readonly Job[]> {
  const found = new Map<string, Job>();
  for (const status of new Set(statuses)) {
    for await (const jobs of pagesOf(client, { ...filter, status }, limit)) {
      // It may have gone from one state to the next since: the later look counts.
      for (const job of jobs) found.set(job.id, job);
    }
  }
  const createdAt = ({ fields }: Job): string => fields.text('created_at');
  const order = (a: Job, b: Job): number =>
    createdAt(b).localeCompare(createdAt(a)) || b.id.localeCompare(a.id);
  return [...found.values()].sort(order).slice(0, limit);
}

async function* pagesOf(
  client: ApiClient,
  filter: JobFilter,
  limit: number,
): AsyncGenerator<readonly Job[]> {
  const seen = new Set<string>();
  for (let offset = 0; seen.size < limit; offset += PAGE) {
    const size = Math.min(PAGE, limit - seen.size);
    const query = new URLSearchParams({ ...given(filter), limit: `${size}`, offset: `${offset}` });
    const answer = await client.get(`/scheduler/jobs?${query.toString()}`);
    const jobs = dataOf(answer, 'GET /scheduler/jobs').list('jobs').map(jobOf);
    const fresh = jobs.filter(({ id }) => !seen.has(id));
    for (const { id } of fresh) seen.add(id);
    yield fresh;
    if (jobs.length < size) return;
  }
}

/** The wanted jobs in one piece. */
export async function fetchJobs(
  client: ApiClient,
  filter: JobFilter,
  limit = Infinity,
): Promise<readonly Job[]> {
  const found: Job[] = [];
  for await (const jobs of jobPages(client, filter, limit)) found.push(...jobs);
  return found;
}

/** Path of the calls about one job. */
export function jobPath(id: string): string {
  return `/scheduler/jobs/${encodeURIComponent(id)}`;
}

/** Who works here, for the record: owner of what he submits, operator of what he asks for. */
export function whoami(): string {
  return userInfo().username;
}

function given(filter: JobFilter): Record<string, string> {
  return Object.fromEntries(
    Object.entries(filter).flatMap(([name, value]: [string, unknown]) =>
      typeof value === 'string' ? [[name, value]] : [],
    ),
  );
}
