import { isRoot } from '../../src/ops/accounts';

/** Settings that let commands run in that folder, as somebody else when the tests are root. */
export function commandsIn(folder: string): Record<string, string> {
  return {
    FORESAIL_COMMANDS: 'on',
    FORESAIL_DATA_DIR: folder,
    FORESAIL_EXECUTOR_PREFIXES: '/bin/sh -c',
    FORESAIL_KILL_GRACE_MS: '300',
    FORESAIL_BACKOFF_FIRST_MS: '20',
    FORESAIL_BACKOFF_MOST_MS: '50',
    ...(isRoot() && { FORESAIL_JOB_USER: 'daemon' }),
  };
}
