import { chmod } from 'node:fs/promises';
import { isRoot } from '../../src/ops/accounts';
import { ConformanceRig } from './conformance-rig';
import { removeScratch, scratchDirectory } from './scratch';

/** A service that runs commands, in a folder of its own. */
export interface CommandRig {
  readonly rig: ConformanceRig;
  /** Everybody may work in it. */
  readonly folder: string;
  /** Ends everything, and removes the folder. */
  close(): Promise<void>;
}

/** @param env further settings, by their names in the environment */
export async function commandRig(env: Readonly<Record<string, string>> = {}): Promise<CommandRig> {
  const folder = await scratchDirectory();
  await chmod(folder, 0o777);
  const rig = await ConformanceRig.start({
    FORESAIL_COMMANDS: 'on',
    FORESAIL_DATA_DIR: folder,
    FORESAIL_KILL_GRACE_MS: '300',
    FORESAIL_BACKOFF_FIRST_MS: '20',
    FORESAIL_BACKOFF_MOST_MS: '50',
    ...(isRoot() && { FORESAIL_JOB_USER: 'daemon' }),
    ...env,
  });
  const close = async (): Promise<void> => {
    await rig.close();
    await removeScratch(folder);
  };
  return { rig, folder, close };
}
