import { once } from 'node:events';
import { Command } from 'commander';
import type { ClusterStatus } from '../persistence/embedded/cluster-status';
import { examplesText } from './client-verb';
import { CommandFailure, EXIT, EXIT_CODES_HELP, guarded } from './exit';
import { formatOf, jsonText, outputOption, recordText, type OutputFormat } from './output';
import { settingsOf, withSettingsFlags, type SettingsFlags } from './settings-flags';
import { MOST_NAMES, traceLines } from './trace-lines';
import { withDatabase } from './with-database';

interface DbFlags extends SettingsFlags {
  readonly output?: OutputFormat;
}

/** `foresail db`: the embedded PostgreSQL, looked at from outside the service. */
export function dbCommand(): Command {
  const db = new Command('db')
    .description('look at the database, export its history, or stop the embedded one')
    .addHelpText('after', examplesText(EXAMPLES) + EXIT_CODES_HELP);
  withSettingsFlags(db.command('status'))
    .description('tell which database is used and whether it runs; exits with 1 if it does not')
    .addOption(outputOption())
    .addHelpText('after', examplesText(['foresail db status -o json']))
    .action(guarded(status));
  withSettingsFlags(db.command('url'))
    .description('print the connection URL, password included')
    .addHelpText('after', examplesText(['psql "$(foresail db url)"']))
    .action(guarded(url));
  withSettingsFlags(db.command('stop'))
    .description('stop the embedded PostgreSQL; refused while a Foresail process uses it')
    .option('--force', 'stop it even then')
    .addHelpText('after', examplesText(['foresail db stop']))
    .action(guarded(stop));
  withSettingsFlags(db.command('export'))
    .description('print the history of finished model tasks as a trace, for simulate and predict')
    .requiredOption('--trace', 'as CSV: arrival_s, model, service_s, and what the metadata names')
    .addHelpText('after', EXPORT_NOTES + examplesText(['foresail db export --trace > history.csv']))
    .action(guarded(exportTrace));
  return db;
}

const EXAMPLES = [
  'foresail db status',
  'psql "$(foresail db url)"',
  'foresail db export --trace > history.csv',
  'foresail db stop',
];

const EXPORT_NOTES = `
Every model task that succeeded, oldest first: when it came (s after the first one), its model, and how
long it ran at speed 1 by its worker's word (s). The up to ${MOST_NAMES} most frequent members of the metadata
that are numbers, short texts or truth values become columns; look through them before you hand the file on.
`;

async function status(flags: DbFlags): Promise<void> {
  const { url: external, dataDir } = await databaseOf(flags);
  const found = external === undefined ? await embedded(dataDir) : await reach(external);
  const { url: full, ...rest } = found;
  const shown = { ...rest, url: full === undefined ? null : withoutPassword(full) };
  const asJson = formatOf(flags.output) === 'json';
  process.stdout.write(
    asJson ? jsonText(shown) : recordText(Object.entries<Shown>(shown).map(entry)),
  );
  if (!shown.running) process.exitCode = EXIT.failed;
}

async function url(flags: SettingsFlags): Promise<void> {
  const { url: external, dataDir } = await databaseOf(flags);
  const { clusterUrl } = await import('../persistence/embedded/cluster-status.js');
  process.stdout.write(`${external ?? (await clusterUrl(dataDir))}\n`);
}

async function stop({ force, ...flags }: SettingsFlags & { readonly force?: true }): Promise<void> {
  const { url: external, dataDir } = await databaseOf(flags);
  if (external !== undefined) {
    const message = 'DATABASE_URL is set, so nothing is embedded that could be stopped';
    throw new CommandFailure(EXIT.usage, `${message}; unset it to stop the embedded PostgreSQL`);
  }
  const { stopCluster } = await import('../persistence/embedded/cluster-status.js');
  const outcome = await stopCluster(dataDir, { unlessUsed: force !== true });
  if (outcome === 'in-use') {
    const remedy = 'stop "foresail serve" first, or say --force';
    const message = `the PostgreSQL in ${dataDir} is used by a Foresail process; ${remedy}`;
    throw new CommandFailure(EXIT.failed, message);
  }
  const said = outcome === 'stopped' ? 'stopped' : 'was not running';
  process.stdout.write(`the PostgreSQL in ${dataDir} ${said}\n`);
}

/** Line by line, so that a history of any length needs no memory. */
async function exportTrace(flags: SettingsFlags): Promise<void> {
  const { HistoryRepository } = await import('../persistence/history.repository.js');
  await withDatabase(flags, 'export', async (source) => {
    const history = new HistoryRepository(source);
    const names = await history.metadataNames(MOST_NAMES);
    for await (const line of traceLines(names, history.finished())) {
      if (!process.stdout.write(line)) await once(process.stdout, 'drain');
    }
  });
}

async function databaseOf(
  flags: SettingsFlags,
): Promise<{ readonly url: string | undefined; readonly dataDir: string }> {
  const { database } = await settingsOf(flags);
  const { dataDirOf } = await import('../ops/data-dir.js');
  return { url: database.url, dataDir: dataDirOf(database) };
}

/** What `db status` tells. */
interface Found {
  readonly engine: 'embedded' | 'external';
  readonly running: boolean;
  readonly version?: string;
  readonly data_dir?: string;
  readonly port?: number;
  readonly pid?: number;
  readonly reason?: string;
  readonly url?: string;
}

type Shown = Found[keyof Found] | null;

async function embedded(dataDir: string): Promise<Found> {
  const { clusterStatus } = await import('../persistence/embedded/cluster-status.js');
  const { dataDir: folder, ...rest }: ClusterStatus = await clusterStatus(dataDir);
  return { engine: 'embedded', data_dir: folder, ...rest };
}

async function reach(external: string): Promise<Found> {
  const { createDataSource } = await import('../persistence/data-source.js');
  const source = createDataSource(external, { applicationName: 'db-status', poolSize: 1 });
  try {
    await source.initialize();
    const rows: unknown = await source.query(`SELECT current_setting('server_version') AS version`);
    return { engine: 'external', running: true, version: versionIn(rows), url: external };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { engine: 'external', running: false, reason, url: external };
  } finally {
    if (source.isInitialized) await source.destroy();
  }
}

function versionIn(rows: unknown): string {
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
  const isRow = typeof row === 'object' && row !== null && 'version' in row;
  return isRow ? String(row.version) : 'unknown';
}

function entry([name, value]: readonly [string, Shown]): readonly [string, string | null] {
  return [name, value === null || value === undefined ? null : String(value)];
}

/** The URL as it may be shown; one that cannot be read is not shown at all. */
function withoutPassword(text: string): string {
  if (!URL.canParse(text)) return '(hidden)';
  const parsed = new URL(text);
  if (parsed.password !== '') parsed.password = '***';
  parsed.search = '';
  return parsed.href;
}
