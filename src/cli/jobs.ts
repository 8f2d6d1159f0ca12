import { Option, type Command } from 'commander';
import type { ApiClient } from './api-client';
import { wholeFrom } from './arguments';
import { clientVerb, withClient } from './client-verb';
import { guarded } from './exit';
import { generateCommand } from './generate-jobs';
import { filterOf, withJobFilter } from './job-filter';
import { fetchJobs, jobPages, type Job, type JobFilter } from './job-record';
import {
  durationText,
  formatOf,
  instantText,
  tableText,
  writeJsonList,
  type Column,
  type View,
} from './output';
import { show, watchable, type WatchFlags } from './show';

interface JobsFlags extends WatchFlags, JobFilter {
  readonly limit: number;
  readonly all?: true;
}

const USUAL_LIMIT = 100;
const SHOWN_COMMAND = 48;

const EXAMPLES = [
  'foresail jobs --owner ana --status RUNNING,PAUSED',
  'foresail jobs --project chip --watch',
  'foresail jobs generate --count 100 --output jobs.json',
];

/** `foresail jobs`: batch jobs, the newest first. */
export function jobsCommand(): Command {
  return withJobFilter(watchable(clientVerb('jobs', 'list batch jobs, the newest first', EXAMPLES)))
    .option('--limit <number>', 'most jobs that are listed', wholeFrom(1, 1e9), USUAL_LIMIT)
    .addOption(new Option('--all', 'list all of them, however many').conflicts('limit'))
    .action(guarded(list))
    .addCommand(generateCommand());
}

async function list(flags: JobsFlags): Promise<void> {
  if (flags.watch !== undefined || formatOf(flags.output) === 'table') {
    await show(flags, (client) => look(client, flags));
    return;
  }
  await withClient(flags, (client) => writeJsonList(itemsOf(client, flags)));
}

async function* itemsOf(client: ApiClient, flags: JobsFlags): AsyncGenerator {
  for await (const jobs of jobPages(client, filterOf(flags), limitOf(flags))) {
    yield* jobs.map(({ fields }) => fields.raw);
  }
}

async function look(client: ApiClient, flags: JobsFlags): Promise<View> {
  const jobs = await fetchJobs(client, filterOf(flags), limitOf(flags));
  const json = jobs.map(({ fields }) => fields.raw);
  return { json, text: () => tableText(jobs, columns(Date.now()), 'no job is like that') };
}

function limitOf({ limit, all }: JobsFlags): number {
  return all === true ? Infinity : limit;
}

/** The table of jobs. @param now Unix ms */
export function columns(now: number): readonly Column<Job>[] {
  return [
    {
      head: 'SUBMITTED',
      value: ({ fields }) => instantText(Date.parse(fields.text('created_at'))),
    },
    { head: 'JOB', value: ({ id }) => id },
    { head: 'OWNER', value: ({ fields }) => fields.text('owner') },
    { head: 'PROJECT', value: ({ fields }) => fields.text('project') },
    { head: 'STATUS', value: ({ status }) => status },
    { head: 'HOST', value: ({ host }) => (host === '' ? '–' : host) },
    { head: 'RAN FOR', align: 'right', value: (job) => ranFor(job, now) },
    { head: 'EXIT', align: 'right', value: ({ exitCode }) => String(exitCode ?? '–') },
    { head: 'COMMAND', value: ({ fields }) => shortened(fields.text('command')) },
  ];
}

function ranFor({ fields }: Job, now: number): string {
  const began = fields.text('started_at');
  if (began === '') return '–';
  const ended = fields.text('finished_at');
  return durationText(Math.max(0, (ended === '' ? now : Date.parse(ended)) - Date.parse(began)));
}

function shortened(command: string): string {
  const line = command.replace(/\s+/g, ' ');
  return line.length > SHOWN_COMMAND ? `${line.slice(0, SHOWN_COMMAND - 1)}…` : line;
}
