import type { createDataSource } from '../persistence/data-source';
import { settingsOf, type SettingsFlags } from './settings-flags';

/**
 * Opens the database that the settings name, an embedded one for the moment; lets go of it after
 * use, whatever happens.
 * @param name what `pg_stat_activity` shows behind `foresail-`
 */
export async function withDatabase<T>(
  flags: SettingsFlags,
  name: string,
  use: (source: ReturnType<typeof createDataSource>) => Promise<T>,
): Promise<T> {
  const { database: settings } = await settingsOf(flags);
  await import('reflect-metadata');
  const { pino } = await import('pino');
  const { openDatabase } = await import('../persistence/database.js');
  const { createDataSource: open } = await import('../persistence/data-source.js');
  // Standard output holds the answer alone, and how the database is set up is not asked here.
  const logger = pino({ level: 'error', base: null }, pino.destination(2));
  const database = await openDatabase(settings, logger);
  try {
    const source = open(database.url, { applicationName: name, poolSize: 1 });
    await source.initialize();
    try {
      return await use(source);
    } finally {
      await source.destroy();
    }
  } finally {
    await database.close();
  }
}
