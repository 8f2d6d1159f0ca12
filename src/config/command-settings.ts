import { isCommandLine } from './command-line';
import { duration, integer, list, optionalText, toggle } from './setting';

const GIB = 1_073_741_824;

/** Settings of batch jobs: whether, where and as whom their commands run. */
export const COMMAND_SETTINGS = {
  enabled: toggle({
    env: 'FORESAIL_COMMANDS',
    fallback: false,
    description:
      'Whether the shell commands of batch jobs are run. To run commands for others is what it ' +
      'says: everybody who may submit a job may do whatever its account may do.',
  }),
  jobUser: optionalText({
    env: 'FORESAIL_JOB_USER',
    description:
      'Account that runs the commands when the service runs as root, which needs one then; ' +
      'neither root nor the owner of the embedded PostgreSQL.',
  }),
  workRoots: list({
    env: 'FORESAIL_WORK_ROOTS',
    separator: ':',
    allowed: 'a list of absolute paths, as in /scratch/foresail:/tmp',
    isPath: true,
    description:
      'Folders in which commands may work, the same on every host. The first is also where logs, ' +
      'and folders of jobs that name none, lie. Default: `jobs` in the data folder, and the ' +
      "system's temporary folder.",
  }),
  executorPrefixes: list({
    env: 'FORESAIL_EXECUTOR_PREFIXES',
    separator: '\n',
    allowed: 'a list, one per line, as in ssh -o BatchMode=yes *',
    item: (line) => isCommandLine(line),
    description:
      'Prefixes with which hosts may be registered, each whole. A `*` stands for any part of one ' +
      'argument; at its beginning not for a `-`. Empty: none.',
  }),
  killGraceMs: duration({
    env: 'FORESAIL_KILL_GRACE_MS',
    fallback: 10_000,
    description: 'Time between SIGTERM and SIGKILL for a job that is stopped.',
  }),
  hostProbeMs: duration({
    env: 'FORESAIL_HOST_PROBE_MS',
    fallback: 10_000,
    description: 'How often a host with a prefix is asked whether it is there.',
  }),
  hostOfflineMs: duration({
    env: 'FORESAIL_HOST_OFFLINE_MS',
    fallback: 20_000,
    description: 'Silence after which a host gets no new job.',
  }),
  hostLostMs: duration({
    env: 'FORESAIL_HOST_LOST_MS',
    fallback: 600_000,
    description: 'Silence after which the jobs of a host are given up.',
  }),
  assumedLimitMs: duration({
    env: 'FORESAIL_ASSUMED_LIMIT_MS',
    fallback: 86_400_000,
    description:
      'How long a job without a time limit is taken to run when a host is kept for a job that waits ' +
      'for it. It is never killed for that.',
  }),
  logBytes: integer({
    env: 'FORESAIL_LOG_BYTES',
    unit: 'bytes',
    fallback: 2 * GIB,
    min: 4_096,
    max: 1_024 * GIB,
    description: 'Largest log of a job; of a longer one the head and the tail are kept.',
  }),
  openFiles: integer({
    env: 'FORESAIL_JOB_OPEN_FILES',
    unit: 'files',
    fallback: 8_192,
    min: 16,
    max: 1_048_576,
    description: 'Files that a process of a job may have open, as far as its host allows.',
  }),
  processes: integer({
    env: 'FORESAIL_JOB_PROCESSES',
    unit: 'processes',
    fallback: 32_768,
    min: 16,
    max: 4_194_304,
    description: 'Processes that the account of the jobs may have on a host, in all.',
  }),
} as const;
