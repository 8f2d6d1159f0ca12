import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { migrate } from '../../src/persistence/data-source';
import { EmbeddedPostgres } from '../../src/persistence/embedded/embedded-postgres';
import { messageOf } from '../../src/persistence/embedded/embedded-postgres.error';
import { databaseUrl, dropDatabase, onServer, quoted, TEST_PREFIX, TEST_SERVER } from './database';
import globalTeardown from './global-teardown';
import { memoryRoot, removeScratch, scratchDirectory, sweepScratch } from './scratch';

// Nothing here outlives the run, so nothing has to survive a crash.
const FORGETFUL = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
};

/**
 * Prepares one PostgreSQL server for the whole run, with a migrated template database that tests
 * clone: a throw-away cluster, or the server of `TEST_DATABASE_URL`. Several projects name this
 * file; the first call does the work.
 */
export default async function globalSetup(): Promise<void> {
  if (process.env[TEST_SERVER.url] !== undefined) return;
  await sweepScratch();
  const external = process.env['TEST_DATABASE_URL'];
  // On a server that others may use, two runs must not share one template.
  const template =
    TEST_PREFIX +
    (external === undefined ? 'template' : `template_${randomBytes(4).toString('hex')}`);
  try {
    const server = external ?? (await startThrowAwayServer());
    process.env[TEST_SERVER.url] = server;
    process.env[TEST_SERVER.template] = template;
    await buildTemplate(server, template);
  } catch (error) {
    await globalTeardown(); // Jest does not, when the set-up fails.
    throw error;
  }
}

async function startThrowAwayServer(): Promise<string> {
  const memory = await memoryRoot();
  if (memory === undefined) return startIn(os.tmpdir());
  try {
    return await startIn(memory);
  } catch {
    // It may be mounted `noexec`, when programs have to be copied into it. A disk takes all.
    return startIn(os.tmpdir());
  }
}

async function startIn(root: string): Promise<string> {
  const dataDir = await scratchDirectory(root);
  const lines: string[] = [];
  const log = (line: string): void => {
    lines.push(line);
  };
  try {
    const server = await EmbeddedPostgres.start({ dataDir, settings: FORGETFUL, log });
    await server.release();
    process.env[TEST_SERVER.dataDir] = dataDir;
    return databaseUrl(server.url, 'postgres');
  } catch (error) {
    console.error([...lines, messageOf(error)].join('\n'));
    await removeScratch(dataDir);
    throw error;
  }
}

async function buildTemplate(server: string, template: string): Promise<void> {
  await onServer(server, async (client) => {
    await dropDatabase(client, template);
    await client.query(`CREATE DATABASE ${quoted(template)} TEMPLATE template0`);
    await migrate(databaseUrl(server, template));
    // A template that somebody is connected to cannot be cloned.
    await client.query(`ALTER DATABASE ${quoted(template)} ALLOW_CONNECTIONS false`);
  });
}
