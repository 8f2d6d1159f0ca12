import { Option, type Command } from 'commander';
import { nameText, wholeFrom } from './arguments';
import { clientVerb, withClient, type ClientFlags } from './client-verb';
import { guarded } from './exit';
import { followJob } from './follow-job';
import { interruptible } from './interrupt';
import { fetchLog } from './job-record';
import { jsonText, printable } from './output';
import { tell } from './run';

interface LogsFlags extends ClientFlags {
  readonly follow?: true;
  readonly lines: number;
}

const USUAL_LINES = 200;
const EXAMPLES = [
  'foresail logs 0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10 -n 50',
  'foresail logs -f ID',
];

const NOTES = `
With -f, what comes is printed until the job has ended or Ctrl-C, beginning with the last 1000 lines there
are; where more comes within a moment, a line says that some were left out.
`;

/** `foresail logs`: the end of what a job printed. */
export function logsCommand(): Command {
  return clientVerb('logs', 'print the log of a job', EXAMPLES, NOTES)
    .argument('<id>', 'id of the job', nameText)
    .addOption(new Option('-f, --follow', 'go on until the job has ended').conflicts('lines'))
    .option('-n, --lines <number>', 'how many of the last lines', wholeFrom(1, 10_000), USUAL_LINES)
    .action(guarded(print));
}

async function print(id: string, flags: LogsFlags): Promise<void> {
  await withClient(flags, async (client) => {
    if (flags.follow === true) {
      await interruptible(client, (signal) => followJob(client, id, { changed: tell, signal }));
      return;
    }
    const lines = await fetchLog(client, id, flags.lines);
    const { stdout } = process;
    // A log is text: it is JSON only where somebody asks for that.
    if (flags.output === 'json') stdout.write(jsonText(lines));
    else for (const line of lines) stdout.write(`${stdout.isTTY ? printable(line) : line}\n`);
  });
}
