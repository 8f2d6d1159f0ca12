import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { nameText, wholeFrom } from './arguments';
import { examplesText } from './client-verb';
import { CommandFailure, EXIT, EXIT_CODES_HELP, guarded } from './exit';
import { whoami } from './job-record';
import { jsonText } from './output';

interface GenerateFlags {
  readonly count: number;
  readonly output?: string;
  readonly command: string;
  readonly owner?: string;
  readonly project: string;
}

const USUAL_COUNT = 100;
const USUAL_COMMAND = 'echo "job {index} of {count} on $(hostname)" && sleep 1';

const EXAMPLES = [
  'foresail jobs generate --count 100 --output jobs.json',
  `foresail jobs generate --count 8 --command './simulate.sh --seed {index}' > seeds.json`,
  'foresail submit --batch jobs.json',
];

const NOTES = `
{index} in the command is the number of the job, from 1; {count} is how many there are. Every field that a
job can have is there at its default, ready to be changed.
`;

/** `foresail jobs generate`: a file of jobs to start from. Needs no service. */
export function generateCommand(): Command {
  return new Command('generate')
    .description('write a file of jobs for "submit --batch"')
    .option('--count <number>', 'how many jobs', wholeFrom(1, 10_000), USUAL_COUNT)
    .option('--output <file>', 'where to (default: standard output)', nameText)
    .option('--command <template>', 'what each runs', USUAL_COMMAND)
    .option('--owner <name>', 'whose they are (default: who you are here)', nameText)
    .option('--project <name>', 'project they belong to', nameText, 'default')
    .addHelpText('after', NOTES + examplesText(EXAMPLES) + EXIT_CODES_HELP)
    .action(guarded(generate));
}

async function generate(flags: GenerateFlags): Promise<void> {
  const { output, owner = whoami() } = flags;
  const text = jsonText(jobsFile({ ...flags, owner }));
  if (output === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    await writeFile(output, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(EXIT.failed, `cannot write ${output}: ${why}`, { cause: error });
  }
  process.stderr.write(`${flags.count} jobs in ${output}; foresail submit --batch ${output}\n`);
}

/** What is written: the body of a batch, with every field at its default. */
export function jobsFile({
  count,
  command,
  owner,
  project,
}: Required<Omit<GenerateFlags, 'output'>>): object {
  const jobs = Array.from({ length: count }, (_, n) => ({
    command: command.replaceAll('{index}', String(n + 1)).replaceAll('{count}', String(count)),
    project,
    design: '',
    owner,
    priority: 1,
    timeout_sec: 0,
    retry_limit: 0,
    resource_request: {
      cpu: 1,
      memory_gb: 2,
      slots: 1,
      license_tokens: 1,
      tool_version: '',
      host_labels: {},
    },
    workdir: '.',
    env: {},
  }));
  return { jobs };
}
