import type { Command } from 'commander';
import type { Config } from '../config/config.schema';

/** Flags of verbs that use the database themselves instead of calling the service. */
export interface SettingsFlags {
  readonly config?: string;
  readonly dataDir?: string;
}

/** Adds the flags that say which database is meant. */
export function withSettingsFlags(command: Command): Command {
  return command
    .option('--config <file>', 'YAML file of settings, before FORESAIL_CONFIG')
    .option('--data-dir <folder>', 'folder of the embedded PostgreSQL, before FORESAIL_DATA_DIR');
}

/**
 * The settings by these flags, the environment and the file.
 * @throws {ConfigError} that lists every fault
 */
export async function settingsOf({ config, dataDir }: SettingsFlags): Promise<Config> {
  // The schema is built by a library that takes longer to load than `--help` may take.
  const { loadConfig } = await import('../config/load-config.js');
  return loadConfig({ flags: { dataDir }, ...(config === undefined ? {} : { file: config }) });
}
