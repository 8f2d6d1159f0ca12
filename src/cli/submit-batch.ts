import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { text as readAll } from 'node:stream/consumers';
import { systemRandom } from '../ops/system';
import type { ApiClient } from './api-client';
import { withClient, type ClientFlags } from './client-verb';
import { CommandFailure, EXIT } from './exit';
import { FOLLOW_PATIENCE_MS } from './follow-job';
import { INTERRUPTED, interruptible } from './interrupt';
import { jobOf, jobPages, type Job } from './job-record';
import { columns } from './jobs';
import { print, tableText } from './output';
import { Patience } from './patience';
import { startJobProgress } from './job-progress';
import { submitJobs } from './submit-jobs';

/** Flags of `submit --batch`. */
export interface BatchFlags extends ClientFlags {
  readonly detach?: true;
}

/** Pause between two looks at all jobs, ms. */
const PAUSE_MS = 1_000;
const LISTED_FAILURES = 20;

/**
 * Hands over a file of jobs, all or none, and waits until all have ended.
 * @param file path of it, or - for standard input
 * @throws {CommandFailure} when it is no such file, they are refused, or not all succeeded
 */
export async function submitBatch(file: string, flags: BatchFlags): Promise<void> {
  const body = batchBody(file, await contentOf(file));
  await withClient(flags, async (client) => {
    const answer = await submitJobs(client, '/scheduler/jobs/batch', body);
    const jobs = answer.list('jobs').map(jobOf);
    process.stderr.write(`${jobs.length} jobs submitted\n`);
    if (flags.detach === true) {
      printJobs(jobs, flags);
      return;
    }
    const ended = await interruptible(client, (signal) => waitForAll(client, jobs, signal));
    if (ended !== null) {
      conclude(ended, flags);
      return;
    }
    process.stderr.write('the jobs go on: foresail jobs --watch\n');
    process.exitCode = INTERRUPTED;
  });
}

async function contentOf(file: string): Promise<string> {
  if (file === '-') return readAll(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(EXIT.usage, `--batch: ${why}`, { cause: error });
  }
}

/** The text as a body, its numbers as they were written: a list of jobs, or an object that has one. */
function batchBody(file: string, text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(EXIT.usage, `--batch: ${file} is not JSON: ${why}`, { cause: error });
  }
  if (Array.isArray(value)) return `{"jobs":${text}}`;
  if (typeof value === 'object' && value !== null && 'jobs' in value) return text;
  const wanted = 'a list of jobs, or an object with "jobs"; "foresail jobs generate" writes one';
  throw new CommandFailure(EXIT.usage, `--batch: ${file} must hold ${wanted}`);
}

/** @returns the jobs as they ended, in the order of their submission; null when interrupted */
async function waitForAll(
  client: ApiClient,
  jobs: readonly Job[],
  signal: AbortSignal,
): Promise<readonly Job[] | null> {
  const patience = new Patience({ limitMs: FOLLOW_PATIENCE_MS, random: systemRandom, signal });
  const last = new Map(jobs.map((job) => [job.id, job]));
  const progress = await startJobProgress(jobs.length);
  try {
    for (;;) {
      await patience.persist(() => look(client, last));
      const all = [...last.values()];
      progress.show(all);
      if (all.every(({ hasEnded }) => hasEnded)) return all;
      await sleep(PAUSE_MS, undefined, { signal });
    }
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  } finally {
    progress.stop();
  }
}

/** Brings the jobs that have not ended up to date: they are among the newest, so few pages do. */
async function look(client: ApiClient, last: Map<string, Job>): Promise<void> {
  const open = new Set([...last.values()].filter((job) => !job.hasEnded).map(({ id }) => id));
  for await (const page of jobPages(client, {})) {
    for (const job of page) if (open.delete(job.id)) last.set(job.id, job);
    if (open.size === 0) return;
  }
}

function conclude(jobs: readonly Job[], flags: BatchFlags): void {
  const failed = jobs.filter(({ status }) => status !== 'SUCCESS');
  printJobs(jobs, flags);
  if (failed.length === 0) return;
  const counts = new Map<string, number>();
  for (const { status } of failed) counts.set(status, (counts.get(status) ?? 0) + 1);
  const said = [...counts].map(([status, count]) => `${count} ${status}`).join(', ');
  throw new CommandFailure(EXIT.failed, `${said} of ${jobs.length} jobs`);
}

/** All of them as JSON; for people those that did not succeed, the first ones. */
function printJobs(jobs: readonly Job[], { output }: BatchFlags): void {
  const json = jobs.map(({ fields }) => fields.raw);
  const shown = jobs.filter(({ status }) => status !== 'SUCCESS').slice(0, LISTED_FAILURES);
  const text = (): string =>
    shown.length === 0
      ? `all ${jobs.length} succeeded\n`
      : tableText(shown, columns(Date.now()), '');
  print({ json, text }, output);
}
