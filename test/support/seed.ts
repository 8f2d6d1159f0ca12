import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgres } from '../../src/persistence/embedded/embedded-postgres';

/** Creates a stopped embedded PostgreSQL that tests copy, in a scratch directory. */
export async function createSeed(scratch: string): Promise<void> {
  const dataDir = path.join(scratch, 'data');
  const server = await EmbeddedPostgres.start({ dataDir, log: () => undefined });
  await server.stop();
}

/** Copies it to a data directory that does not exist yet, owners and modes included. */
export async function copySeed(scratch: string, dataDir: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', path.join(scratch, 'data'), dataDir]);
}
