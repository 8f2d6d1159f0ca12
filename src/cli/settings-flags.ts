import type { Command } from 'commander';
import type { Config } from '../config/config.schema';
import type { ConfigSources } from '../config/load-config';

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
 * The settings by these flags, the environment and the file. A verb may hand over all its flags:
 * those that are no settings are left alone.
 * @throws {ConfigError} that lists every fault
 */
export async function settingsOf({ config, dataDir }: SettingsFlags): Promise<Config> {
  // The schema is built by a library that takes longer to load than `--help` may take.
  const { loadConfig } = await import('../config/load-config.js');
  return loadConfig({ flags: { dataDir }, ...(config === undefined ? {} : { file: config }) });
}

/** Flags of the service itself: settings that are often another one at the next start. */
export interface ServeFlags extends SettingsFlags {
  readonly host?: string;
  readonly port?: string;
  readonly databaseUrl?: string;
  readonly instancesFile?: string;
  readonly logLevel?: string;
}

/** Adds the flags that `serve` takes. */
export function withServeFlags(command: Command): Command {
  return withSettingsFlags(command)
    .option('--host <address>', 'address to listen on, before FORESAIL_HOST')
    .option('--port <number>', 'port to listen on, before FORESAIL_PORT')
    .option('--database-url <url>', 'PostgreSQL to use, before DATABASE_URL')
    .option('--instances-file <file>', 'task instances to register, before FORESAIL_INSTANCES_FILE')
    .option('--log-level <level>', 'from which level on to log, before FORESAIL_LOG_LEVEL');
}

/** Where settings come from, when these flags are given. */
export function sourcesOf({ config, ...flags }: ServeFlags): ConfigSources {
  return { flags: { ...flags }, ...(config === undefined ? {} : { file: config }) };
}
