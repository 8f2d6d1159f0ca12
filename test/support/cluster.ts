import { migrate } from '../../src/persistence/data-source';
import { stopCluster } from '../../src/persistence/embedded/cluster-status';
import { EmbeddedPostgres } from '../../src/persistence/embedded/embedded-postgres';
import { layoutOf } from '../../src/persistence/embedded/layout';
import { isServerOf, readPostmasterFile } from '../../src/persistence/embedded/postmaster-file';
import { databaseUrl, onServer, quoted } from './database';
import { removeScratch, scratchDirectory } from './scratch';
import { until } from './until';

/** A PostgreSQL server of a test's own that keeps what it committed, and may be killed. */
export interface DurableCluster {
  /** The application's empty, unmigrated database. The same before and after a restart. */
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  /** URL of a database of this cluster; it need not exist. */
  readonly databaseUrl: (name: string) => string;
  /** Creates and migrates a database (`foresail_test_…`), and resolves with its URL. */
  readonly createDatabase: (name: string) => Promise<string>;
  /** Kills the first process of the server with SIGKILL and waits until it is gone. */
  readonly kill: () => Promise<void>;
  /** Starts it again after `kill` or `stop`, on the same port. */
  readonly start: () => Promise<void>;
  /** Stops it properly; connections are broken. */
  readonly stop: () => Promise<void>;
  /** Ends it and removes its data. */
  readonly dispose: () => Promise<void>;
}

/** Starts a private server with `fsync` on, for tests that kill PostgreSQL. Takes 1 to 3 s. */
export async function startDurableCluster(): Promise<DurableCluster> {
  const dataDir = await scratchDirectory();
  const { cluster } = layoutOf(dataDir);
  const { url, port } = await run(dataDir);
  const urlOf = (name: string): string => databaseUrl(url, name);
  return {
    url,
    port,
    dataDir,
    databaseUrl: urlOf,
    createDatabase: async (name) => {
      await onServer(urlOf('postgres'), (client) =>
        client.query(`CREATE DATABASE ${quoted(name)}`),
      );
      await migrate(urlOf(name));
      return urlOf(name);
    },
    kill: () => killPostmaster(cluster),
    start: async () => {
      await run(dataDir, port);
    },
    stop: async () => {
      await stopCluster(dataDir);
    },
    dispose: () => removeScratch(dataDir),
  };
}

async function run(dataDir: string, port?: number): Promise<EmbeddedPostgres> {
  const settings = { max_connections: '200' };
  const server = await EmbeddedPostgres.start({ dataDir, port, settings, log: () => undefined });
  // No connection of ours: the launcher must not bring a server back that a test has killed.
  await server.release();
  return server;
}

async function killPostmaster(cluster: string): Promise<void> {
  const file = await readPostmasterFile(cluster);
  if (file === undefined || !(await isServerOf(cluster, file.pid))) {
    throw new Error(`there is no running server in ${cluster} to kill`);
  }
  process.kill(file.pid, 'SIGKILL');
  await until(async () => !(await isServerOf(cluster, file.pid)), 'the death of the postmaster');
}
