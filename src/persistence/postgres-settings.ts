import { Client } from 'pg';
import { connectionSettings } from './connection-settings';

/** Settings of the server on which the durability of a commit rests, in its own words. */
export interface DurabilitySettings {
  /** As in `18.4`. */
  readonly version: string;
  readonly fsync: string;
  readonly synchronousCommit: string;
  readonly fullPageWrites: string;
}

/** What the promises of the scheduler rest on. */
export interface PostgresSettings extends DurabilitySettings {
  /** Sentences for the operator; empty when all is well. */
  readonly warnings: readonly string[];
}

type Row = Omit<PostgresSettings, 'warnings'> & { readonly versionNumber: number };

const OLDEST_VERSION = 140_000;

/** Answers with one row of `DurabilitySettings`. */
export const DURABILITY_QUERY = `
  SELECT current_setting('server_version')          AS version,
         current_setting('server_version_num')::int AS "versionNumber",
         current_setting('fsync')                   AS fsync,
         current_setting('synchronous_commit')      AS "synchronousCommit",
         current_setting('full_page_writes')        AS "fullPageWrites"`;

/**
 * Reads the settings of the server under which a commit may be lost (RELIABILITY_MODEL, section 1).
 * Rejects with the driver's error.
 */
export async function readPostgresSettings(url: string): Promise<PostgresSettings> {
  const client = new Client(connectionSettings(url, 'settings'));
  client.on('error', () => undefined); // The query that is under way says so.
  try {
    await client.connect();
    const { rows } = await client.query<Row>(DURABILITY_QUERY);
    const [row] = rows;
    if (!row) throw new Error('PostgreSQL did not tell its settings');
    const { versionNumber, ...settings } = row;
    return { ...settings, warnings: warningsOf(row, versionNumber) };
  } finally {
    await client.end().catch(() => undefined);
  }
}

function warningsOf(
  { version, fsync, synchronousCommit, fullPageWrites }: Row,
  versionNumber: number,
): readonly string[] {
  const warnings: string[] = [];
  if (versionNumber < OLDEST_VERSION) {
    warnings.push(`PostgreSQL ${version} is older than 14, the oldest version that is tested`);
  }
  if (fsync !== 'on') {
    warnings.push('fsync is off: a crash of the database machine loses or corrupts accepted tasks');
  }
  if (synchronousCommit === 'off') {
    warnings.push('synchronous_commit is off: a crash of PostgreSQL loses accepted tasks');
  }
  if (fullPageWrites !== 'on') {
    warnings.push('full_page_writes is off: a crash of the database machine may corrupt rows');
  }
  return warnings;
}
