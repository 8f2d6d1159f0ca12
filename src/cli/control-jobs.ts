import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { nameText } from './arguments';
import { clientVerb, withClient, type ClientFlags } from './client-verb';
import { callEach } from './each';
import { CommandFailure, EXIT, guarded } from './exit';
import { filterOf, withJobFilter } from './job-filter';
import {
  dataOf,
  fetchJobs,
  FINAL_STATUSES,
  jobPath,
  LIVE_STATUSES,
  whoami,
  type JobFilter,
} from './job-record';

interface ControlFlags extends ClientFlags, JobFilter {
  readonly yes?: true;
}

/** Something that can be done to jobs. */
interface Control {
  readonly verb: 'stop' | 'pause' | 'resume' | 'rerun';
  readonly description: string;
  readonly notes: string;
  /** In which states it can be done: a filter without a status means these. */
  readonly statuses: readonly string[];
}

const CONTROLS: readonly Control[] = [
  {
    verb: 'stop',
    description: 'stop jobs that wait or run',
    notes:
      'What runs gets SIGTERM, and SIGKILL after a while; what waits never starts. No retry follows.',
    statuses: LIVE_STATUSES,
  },
  {
    verb: 'pause',
    description: 'pause jobs that run',
    notes: 'Their processes are stopped where they are (SIGSTOP) and keep their slots.',
    statuses: ['RUNNING'],
  },
  {
    verb: 'resume',
    description: 'let paused jobs go on',
    notes: 'Their processes are continued (SIGCONT).',
    statuses: ['PAUSED'],
  },
  {
    verb: 'rerun',
    description: 'submit finished jobs anew',
    notes:
      'Each becomes a new job with a new id; its parent_job_id names the old one. With a filter, ' +
      'say which: --status FAILED.',
    statuses: FINAL_STATUSES,
  },
];

const HOW_MANY = `
Jobs are named by their ids, or by a filter: then their number is shown, and you are asked. Where nobody
can be asked, --yes is needed. A job whose state does not allow it is refused; the others go on, and the
exit code is 1.
`;

/** `foresail stop`, `pause`, `resume`, `rerun`. */
export function controlCommands(): readonly Command[] {
  return CONTROLS.map((control) => {
    const { verb, description, notes } = control;
    const filter = verb === 'rerun' ? '--owner ana --status FAILED,TIMEOUT' : '--project chip';
    const examples = [`foresail ${verb} ID`, `foresail ${verb} ${filter} --yes`];
    return withJobFilter(clientVerb(verb, description, examples, `\n${notes}\n${HOW_MANY}`))
      .argument('[id...]', 'ids of the jobs', manyNames, [])
      .option('--yes', 'do not ask')
      .action(
        guarded((ids: readonly string[], flags: ControlFlags) => controlJobs(control, ids, flags)),
      );
  });
}

async function controlJobs(
  control: Control,
  given: readonly string[],
  flags: ControlFlags,
): Promise<void> {
  const { verb } = control;
  const ids = given.length > 0 ? named(given, flags) : await found(control, flags);
  if (ids.length === 0) return;
  await callEach(flags, {
    ids,
    name: 'job',
    columns: [
      { head: 'JOB', value: (job) => job.text('job_id') },
      { head: 'STATUS', value: (job) => job.text('status') },
      { head: 'MESSAGE', value: (job) => job.optionalText('message') ?? '' },
    ],
    call: async (client, id) => {
      const path = `${jobPath(id)}/${verb}?operator=${encodeURIComponent(whoami())}`;
      return dataOf(await client.post(path, '{}'), `POST /scheduler/jobs/{job_id}/${verb}`);
    },
  });
}

/** @throws {CommandFailure} usage, when there is a filter too */
function named(ids: readonly string[], flags: ControlFlags): readonly string[] {
  if (Object.keys(filterOf(flags)).length === 0) return ids;
  throw new CommandFailure(EXIT.usage, 'name ids, or a filter; not both');
}

/** Ids of the jobs that the filter means, once somebody has agreed. */
async function found(control: Control, flags: ControlFlags): Promise<readonly string[]> {
  const { verb, statuses } = control;
  const filter = filterOf(flags);
  if (Object.keys(filter).length === 0) {
    const message = `which jobs? name ids, or --owner, --project or --status`;
    throw new CommandFailure(EXIT.usage, message);
  }
  if (verb === 'rerun' && filter.status === undefined) {
    const message = `which of them? say --status ${FINAL_STATUSES.join(', or ')}`;
    throw new CommandFailure(EXIT.usage, message);
  }
  const meant = { status: statuses.join(','), ...filter };
  const jobs = await withClient(flags, (client) => fetchJobs(client, meant));
  if (jobs.length === 0) process.stderr.write('no job is like that\n');
  else await agree(`${verb} ${jobs.length === 1 ? '1 job' : `${jobs.length} jobs`}?`, flags);
  return jobs.map(({ id }) => id);
}

/** @throws {CommandFailure} unless the answer is yes */
async function agree(question: string, { yes }: ControlFlags): Promise<void> {
  if (yes === true) return;
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    throw new CommandFailure(EXIT.usage, `${question} nobody can be asked here: say --yes`);
  }
  const asking = createInterface({ input: stdin, output: stderr });
  try {
    if (/^y(es)?$/i.test((await asking.question(`${question} [y/N] `)).trim())) return;
  } finally {
    asking.close();
  }
  throw new CommandFailure(EXIT.failed, 'nothing was done');
}

function manyNames(text: string, before: readonly string[]): readonly string[] {
  return [...before, nameText(text)];
}
