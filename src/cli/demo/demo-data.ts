import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/config.schema';
import { dataDirOf } from '../../ops/data-dir';
import { stopCluster } from '../../persistence/embedded/cluster-status';
import { layoutOf } from '../../persistence/embedded/layout';
import { CommandFailure, EXIT } from '../exit';
import { demoJobsDir } from './demo-jobs';

/** Where the demo keeps its database: below the user's data, and never in it. */
export function demoDataDir({ database }: Config): string {
  return join(dataDirOf(database), 'demo');
}

/**
 * Removes what a demo left in its folder, after ending a PostgreSQL that outlived it. Files that are
 * not ours stay.
 * @throws {CommandFailure} failed, when another demo uses it now
 */
export async function clearDemoData(dataDir: string): Promise<void> {
  if ((await stopCluster(dataDir, { unlessUsed: true })) === 'in-use') {
    const remedy = 'end it first, or give this one another --data-dir';
    throw new CommandFailure(EXIT.failed, `another demo uses ${dataDir}: ${remedy}`);
  }
  const { home, cluster, log, password, locks } = layoutOf(dataDir);
  for (const path of [cluster, log, `${log}.1`, password, locks, demoJobsDir(home)]) {
    await rm(path, { recursive: true, force: true });
  }
  // Only an empty folder goes.
  await rmdir(home).catch(() => undefined);
}
