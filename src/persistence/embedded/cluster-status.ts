import { urlOf } from './connection';
import { EmbeddedPostgresError, messageOf } from './embedded-postgres.error';
import { close, shutDown, type Stopped } from './launch';
import { isServerOf, readPostmasterFile } from './postmaster-file';
import { knock } from './settle';
import { clusterExists, prepareHome, readPassword, type Site, siteOf } from './site';
import { withStartLock } from './start-lock';

/** What the server of a data directory is doing. */
export type ClusterStatus =
  | {
      readonly running: true;
      readonly dataDir: string;
      readonly port: number;
      /** Pid of the server's first process. */
      readonly pid: number;
      /** Version of the server, as in `18.4`. */
      readonly version: string;
      /** Connection URL of the application's database, password included. */
      readonly url: string;
    }
  | {
      readonly running: false;
      readonly dataDir: string;
      /** Why not, in one clause. */
      readonly reason: string;
    };

const silent = (): void => undefined;

/** Looks at the server of a data directory, without waiting and without changing anything. */
export async function clusterStatus(dataDir: string): Promise<ClusterStatus> {
  try {
    const site = await siteOf(dataDir, undefined, silent);
    return await look(site);
  } catch (error) {
    return { running: false, dataDir, reason: messageOf(error) };
  }
}

async function look(site: Site): Promise<ClusterStatus> {
  const { home, cluster } = site.layout;
  const absent = (reason: string): ClusterStatus => ({ running: false, dataDir: home, reason });
  if (!(await clusterExists(site))) return absent('no data has been created here yet');
  const file = await readPostmasterFile(cluster);
  if (file === undefined) return absent('stopped');
  const answer = await knock(site, file.port);
  if ('refused' in answer) {
    const alive = await isServerOf(cluster, file.pid);
    const why = alive
      ? `pid ${file.pid} does not let us in`
      : `pid ${file.pid} is gone, it crashed`;
    return absent(`${why} (${messageOf(answer.refused)})`);
  }
  await close(answer.client);
  const { port, version } = answer;
  const url = urlOf({ port, password: await readPassword(site) });
  return { running: true, dataDir: home, port, pid: file.pid, version, url };
}

/**
 * Connection URL of the application's database in a data directory, password included.
 *
 * @throws {EmbeddedPostgresError} when the server does not run.
 */
export async function clusterUrl(dataDir: string): Promise<string> {
  const status = await clusterStatus(dataDir);
  if (status.running) return status.url;
  throw new EmbeddedPostgresError(
    `The embedded PostgreSQL in ${status.dataDir} does not run (${status.reason}); ` +
      'start Foresail, or set DATABASE_URL.',
  );
}

/** How `stopCluster` stops. */
export interface StopClusterOptions {
  /** Leave it running while a Foresail process is connected. Default false. */
  readonly unlessUsed?: boolean;
  /** `fast` writes everything out; `immediate` is a crash on purpose. Default `fast`. */
  readonly mode?: 'fast' | 'immediate';
}

/**
 * Stops the server of a data directory, whoever started it, and waits for its end.
 *
 * @throws {EmbeddedPostgresError} when it does not stop, or is not ours to stop.
 */
export async function stopCluster(
  dataDir: string,
  { unlessUsed = false, mode = 'fast' }: StopClusterOptions = {},
): Promise<Stopped> {
  const site = await siteOf(dataDir, undefined, silent);
  if (!(await clusterExists(site))) return 'not-running';
  await prepareHome(site);
  return withStartLock(site.layout.locks, silent, () => shutDown(site, { unlessUsed, mode }));
}
