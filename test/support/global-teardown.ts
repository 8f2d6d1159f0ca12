import { dropDatabase, onServer, TEST_SERVER } from './database';
import { removeScratch } from './scratch';

/** Removes what global set-up made: the throw-away cluster, or its template on another's server. */
export default async function globalTeardown(): Promise<void> {
  const server = process.env[TEST_SERVER.url];
  const template = process.env[TEST_SERVER.template];
  const dataDir = process.env[TEST_SERVER.dataDir];
  // Several projects name this file; a second call finds nothing to do.
  for (const name of Object.values(TEST_SERVER)) Reflect.deleteProperty(process.env, name);
  if (dataDir !== undefined) await removeScratch(dataDir);
  else if (server !== undefined && template !== undefined) {
    await onServer(server, (client) => dropDatabase(client, template));
  }
}
