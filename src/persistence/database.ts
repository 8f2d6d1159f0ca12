import type { Logger } from 'pino';
import type { Config } from '../config/config.schema';
import { dataDirOf } from '../ops/data-dir';
import { migrate } from './data-source';
import { accountFor } from './embedded/account';
import { EmbeddedPostgres } from './embedded/embedded-postgres';
import { layoutOf } from './embedded/layout';
import { readPostgresSettings } from './postgres-settings';

/** The database of this process, migrated. */
export interface Database {
  readonly url: string;
  /** Lets go of it; an embedded one is stopped unless another process uses it. */
  close(): Promise<void>;
}

/**
 * Opens the configured database, or starts the embedded one, and brings its schema up to date.
 * @throws {EmbeddedPostgresError} with the remedy
 * @throws {Error} that names the setting, when the configured database cannot be used
 */
export async function openDatabase(config: Config['database'], logger: Logger): Promise<Database> {
  const database = config.url === undefined ? await embedded(config, logger) : external(config.url);
  try {
    await migrate(database.url);
    const { warnings } = await readPostgresSettings(database.url);
    for (const warning of warnings) logger.warn(warning);
    return database;
  } catch (error) {
    await database.close();
    throw config.url === undefined ? error : unusable(error);
  }
}

/** Uid that owns the files of the embedded database; undefined without one, and where it is our own. */
export async function databaseOwner(config: Config['database']): Promise<number | undefined> {
  if (config.url !== undefined) return undefined;
  const account = await accountFor(layoutOf(dataDirOf(config)), config.postgresUser);
  return account?.uid;
}

/** The driver's own words name no setting. */
function unusable(cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(`cannot use the database that DATABASE_URL names: ${reason}`, { cause });
}

function external(url: string): Database {
  return { url, close: () => Promise.resolve() };
}

async function embedded(config: Config['database'], logger: Logger): Promise<Database> {
  const server = await EmbeddedPostgres.start({
    dataDir: dataDirOf(config),
    user: config.postgresUser,
    log: (line) => logger.info(line),
  });
  return {
    url: server.url,
    close: async () => {
      await server.stop({ unlessUsed: true });
    },
  };
}
