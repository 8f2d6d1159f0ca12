import { EmbeddedPostgres } from '../../src/persistence/embedded/embedded-postgres';
import { messageOf } from '../../src/persistence/embedded/embedded-postgres.error';

/** One line of what the child process says, as JSON. */
export type ChildLine =
  | { readonly log: string }
  | { readonly started: { url: string; port: number; adopted: boolean; account: string } }
  | { readonly stopped: string }
  | { readonly failed: string };

function say(line: ChildLine): void {
  console.log(JSON.stringify(line));
}

/** Starts PostgreSQL as the service does, and stops it when a line comes in. */
async function main(dataDir: string): Promise<void> {
  const server = await EmbeddedPostgres.start({ dataDir, log: (log) => say({ log }) });
  const { url, port, adopted, account } = server;
  process.stdin.once('data', () => {
    void server.stop({ unlessUsed: true }).then((stopped) => {
      say({ stopped });
      process.stdin.pause();
    });
  });
  say({ started: { url, port, adopted, account } });
}

main(process.argv[2] ?? '').catch((error: unknown) => say({ failed: messageOf(error) }));
