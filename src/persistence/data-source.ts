import { extname, join } from 'node:path';
import { Client, types as pgTypes, type ClientConfig, type CustomTypesConfig } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { connectionSettings, sessionSettings } from './connection-settings';
import { AlertDeliveryEntity, AlertEntity, AlertProgressEntity } from './entities/alert.entity';
import { ApiKeyEntity } from './entities/api-key.entity';
import { AttemptEntity } from './entities/attempt.entity';
import { InstanceEntity } from './entities/instance.entity';
import { LeadershipEntity } from './entities/leadership.entity';
import { LearnedModelEntity } from './entities/learned-model.entity';
import { LicencePoolEntity } from './entities/licence-pool.entity';
import { PredictionSettingEntity } from './entities/prediction-setting.entity';
import { StrategySettingEntity } from './entities/strategy-setting.entity';
import { TaskEventEntity } from './entities/task-event.entity';
import { TaskEntity } from './entities/task.entity';
import type { Log } from './log';

/** What a data source may differ in. */
export interface DataSourceSettings {
  /** Shows in `pg_stat_activity` behind `foresail-`. Default `queries`. */
  readonly applicationName?: string;
  /** Connections at once. Default 8. */
  readonly poolSize?: number;
  /** Differences from the usual limits of a session. */
  readonly session?: ClientConfig;
  /** Where lost idle connections are reported. Default: nowhere, the pool replaces them. */
  readonly logger?: Log;
}

const POOL_SIZE = 8;
/** A migration may rewrite a large table; 10 minutes, in ms. */
const MIGRATION_TIMEOUT_MS = 600_000;
const UNHURRIED: ClientConfig = {
  statement_timeout: MIGRATION_TIMEOUT_MS,
  lock_timeout: MIGRATION_TIMEOUT_MS,
  idle_in_transaction_session_timeout: MIGRATION_TIMEOUT_MS,
  query_timeout: MIGRATION_TIMEOUT_MS,
};
/** Any number will do, as long as nothing else in the database locks it. */
const MIGRATION_LOCK = 4_027_110_518;

/** A data source for plain reads and writes. It is not connected yet. */
export function createDataSource(url: string, settings: DataSourceSettings = {}): DataSource {
  return new DataSource(dataSourceOptions(url, settings));
}

function dataSourceOptions(
  url: string,
  { applicationName = 'queries', poolSize = POOL_SIZE, session, logger }: DataSourceSettings = {},
): DataSourceOptions {
  return {
    type: 'postgres',
    url,
    poolSize,
    entities: [
      AlertDeliveryEntity,
      AlertEntity,
      AlertProgressEntity,
      ApiKeyEntity,
      AttemptEntity,
      InstanceEntity,
      LeadershipEntity,
      LearnedModelEntity,
      LicencePoolEntity,
      PredictionSettingEntity,
      StrategySettingEntity,
      TaskEntity,
      TaskEventEntity,
    ],
    migrations: [migrationFiles()],
    synchronize: false,
    installExtensions: false,
    poolErrorHandler: (error: Error) => {
      logger?.warn({ msg: 'an idle connection to PostgreSQL was lost', error: error.message });
    },
    extra: { ...sessionSettings(applicationName), ...session, types: jsonAsText },
  };
}

/**
 * Brings the schema up to date. Processes that do it at once wait for each other: TypeORM itself
 * takes no lock, and two of them would collide.
 */
export async function migrate(url: string): Promise<void> {
  await withMigrationLock(url, async () => {
    const source = createDataSource(url, {
      applicationName: 'migrations',
      poolSize: 1,
      session: UNHURRIED,
    });
    await source.initialize();
    try {
      await source.runMigrations({ transaction: 'each' });
    } finally {
      await source.destroy();
    }
  });
}

/** A lock of a transaction on a connection of its own: it also holds behind a transaction pooler. */
async function withMigrationLock(url: string, work: () => Promise<void>): Promise<void> {
  const client = new Client({ ...connectionSettings(url, 'migrations-lock'), ...UNHURRIED });
  let lost: Error | undefined;
  client.on('error', (error) => (lost = error));
  try {
    await client.connect();
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await work();
    if (lost) throw lost;
    await client.query('COMMIT');
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * The migrations beside this build: `dist/migrations` when it is compiled, `migrations` in the
 * project when the sources run themselves.
 */
function migrationFiles(): string {
  const isCompiled = extname(__filename) === '.js';
  const root = isCompiled ? join(__dirname, '..') : join(__dirname, '..', '..');
  return join(root, 'migrations', `*${extname(__filename)}`);
}

type TextParser = (text: string) => unknown;

/** Payloads go out as they came in: parsing and printing them again would change their text. */
const jsonAsText: CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pgTypes.builtins.JSON ? keepText : (pgTypes.getTypeParser(oid, format) as TextParser),
};

function keepText(text: string): string {
  return text;
}
