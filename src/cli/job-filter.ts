import type { Command } from 'commander';
import { nameText } from './arguments';
import type { JobFilter } from './job-record';

/** Adds the flags that say which jobs are meant. */
export function withJobFilter(command: Command): Command {
  return command
    .option('--owner <name>', 'only those of this owner', nameText)
    .option('--project <name>', 'only those of this project', nameText)
    .option('--status <status,...>', 'only those in these states, as in RUNNING', nameText);
}

/** Without what else there is among the flags. */
export function filterOf({ owner, project, status }: JobFilter): JobFilter {
  return {
    ...(owner === undefined ? {} : { owner }),
    ...(project === undefined ? {} : { project }),
    ...(status === undefined ? {} : { status }),
  };
}
