import type { Command } from 'commander';
import { clientVerb, withClient, type ClientFlags } from './client-verb';
import { guarded } from './exit';
import { followJob } from './follow-job';
import { INTERRUPTED, interruptible } from './interrupt';
import { jobBody, withJobOptions, type JobFlags } from './job-options';
import { jobOf, type Job } from './job-record';
import { formatOf, jsonText, printable } from './output';
import { commandLine } from './shell-words';
import { submitJobs } from './submit-jobs';

interface RunFlags extends ClientFlags, JobFlags {
  readonly detach?: true;
}

/** As `timeout` of the shell has it. */
const TIMED_OUT = 124;
const FAILED = 1;
/** States that say all that there is to say. */
const PLAIN: ReadonlySet<string> = new Set(['DISPATCHED', 'RUNNING', 'PAUSED', 'SUCCESS']);

const EXAMPLES = [
  'foresail run -- hostname',
  `foresail run --cpu 4 --memory 16 --label os=linux -- 'make -j4 && make test'`,
  'foresail run --detach --timeout 3600 --retries 2 -- ./nightly.sh --all',
];

const NOTES = `
Everything after -- (or from the first word that is no flag) is the command: one word is a shell command line, several are its words. Its output is
printed while it comes; what becomes of the job is told on standard error. Ctrl-C leaves the job alone.

It exits with the exit code of the job; with 124 when the job took too long, with 1 when it was stopped or
its end was not seen, with 130 after Ctrl-C. The codes 1 to 3 below may also be the job's own.
`;

/** `foresail run`: hands over one command, follows its log, and exits as it does. */
export function runCommand(): Command {
  return withJobOptions(clientVerb('run', 'run a command on a host', EXAMPLES, NOTES))
    .argument('<command...>', 'what is to be run')
    .option('--detach', 'do not wait: print the id and go')
    .passThroughOptions()
    .action(guarded(run));
}

async function run(words: readonly string[], flags: RunFlags): Promise<void> {
  const body = JSON.stringify(jobBody(commandLine(words), flags));
  await withClient(flags, async (client) => {
    const job = jobOf(await submitJobs(client, '/scheduler/jobs', body));
    if (flags.detach === true) {
      process.stdout.write(
        formatOf(flags.output) === 'json' ? jsonText(job.fields.raw) : `${job.id}\n`,
      );
      return;
    }
    say(`job ${job.id} submitted`);
    const ended = await interruptible(client, (signal) =>
      followJob(client, job.id, { changed: tell, signal }),
    );
    if (ended === null)
      say(`job ${job.id} goes on: foresail logs -f ${job.id}, foresail stop ${job.id}`);
    process.exitCode = ended === null ? INTERRUPTED : exitCodeOf(ended);
  });
}

/** Tells what has become of a job, beside its output. */
export function tell({ status, host, message, exitCode }: Job): void {
  const where = host === '' ? '' : ` on ${host}`;
  const code = exitCode === null ? '' : `, exit code ${exitCode}`;
  const why = message === '' || PLAIN.has(status) ? '' : `: ${message}`;
  say(`${status.toLowerCase()}${where}${code}${why}`);
}

function say(text: string): void {
  process.stderr.write(`[foresail] ${printable(text)}\n`);
}

function exitCodeOf({ status, exitCode }: Job): number {
  if (status === 'SUCCESS') return 0;
  if (status === 'TIMEOUT') return TIMED_OUT;
  // A job that was stopped may have exited with 0 on that.
  return status === 'FAILED' && exitCode !== null && exitCode !== 0 ? exitCode : FAILED;
}
