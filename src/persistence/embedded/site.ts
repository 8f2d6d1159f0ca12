import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { firstClosedDirectory, isRoot, type Account } from '../../ops/accounts';
import { accountFor } from './account';
import { codeOf, EmbeddedPostgresError, messageOf } from './embedded-postgres.error';
import { layoutOf, MAJOR, type Layout } from './layout';

/** One embedded PostgreSQL: where it lies, who runs it, and where to report. */
export interface Site {
  readonly layout: Layout;
  /** Who runs the programs of PostgreSQL; undefined: we do. */
  readonly account: Account | undefined;
  readonly log: (line: string) => void;
}

/**
 * The site of an existing or future data directory. Changes nothing.
 *
 * @throws {EmbeddedPostgresError} when no account can run it, or the path cannot be looked at.
 */
export async function siteOf(
  dataDir: string,
  user: string | undefined,
  log: (line: string) => void,
): Promise<Site> {
  const layout = layoutOf(dataDir);
  try {
    return { layout, account: await accountFor(layout, user), log };
  } catch (error) {
    throw error instanceof EmbeddedPostgresError ? error : unusable(layout.home, error);
  }
}

/**
 * Creates the data directory and the directory of locks, if missing.
 *
 * @throws {EmbeddedPostgresError} when that fails, or the account cannot get there.
 */
export async function prepareHome({ layout, account }: Site): Promise<void> {
  try {
    await createHome(layout.home);
    await mkdir(layout.locks, { mode: 0o700 }).catch(ignoreExisting);
    await giveToOwnerOfHome(layout, layout.locks);
    // A lock is a file in there: better refused here than in the middle.
    await readdir(layout.locks);
  } catch (error) {
    throw unusable(layout.home, error);
  }
  if (account === undefined) return;
  const closed = await firstClosedDirectory(layout.cluster, account);
  if (closed === undefined) return;
  throw new EmbeddedPostgresError(
    `The account "${account.name}", which runs PostgreSQL, cannot enter ${closed} on the way to ` +
      `${layout.home}; choose another FORESAIL_DATA_DIR, open it (chmod o+x), or set DATABASE_URL.`,
  );
}

async function createHome(home: string): Promise<void> {
  const first = await mkdir(home, { recursive: true });
  if (first === undefined) return;
  if (!isRoot()) {
    await chmod(home, 0o700);
    return;
  }
  // As root the server runs as somebody else, who must get through whatever the umask says.
  for (let made = home; made.length >= first.length; made = path.dirname(made)) {
    await chmod(made, 0o755);
  }
}

function ignoreExisting(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error;
}

function unusable(home: string, cause: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `Cannot use the data directory ${home} (${messageOf(cause)}); ` +
      'choose another FORESAIL_DATA_DIR, or set DATABASE_URL.',
    { cause },
  );
}

// When root works in a plain user's directory, that user must be able to go on without root.
async function giveToOwnerOfHome({ home }: Layout, file: string): Promise<void> {
  if (!isRoot()) return;
  const { uid, gid } = await stat(home);
  await chown(file, uid, gid);
}

/**
 * Whether a cluster of our version exists.
 *
 * @throws {EmbeddedPostgresError} for data of another major version, and for foreign files.
 */
export async function clusterExists({ layout }: Site): Promise<boolean> {
  try {
    await refuseRawCluster(layout.home);
    const found = await versionIn(layout.cluster);
    if (found === MAJOR) return true;
    if (found !== undefined) throw otherMajor(layout.cluster, found);
    await refuseOccupied(layout.cluster);
    await refuseSiblings(layout.home);
    return false;
  } catch (error) {
    throw error instanceof EmbeddedPostgresError ? error : unusable(layout.home, error);
  }
}

async function versionIn(directory: string): Promise<string | undefined> {
  try {
    return (await readFile(path.join(directory, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function refuseRawCluster(home: string): Promise<void> {
  if ((await versionIn(home)) === undefined) return;
  throw new EmbeddedPostgresError(
    `${home} is the data directory of a PostgreSQL itself; give FORESAIL_DATA_DIR a directory of ` +
      'its own, or start that server and set DATABASE_URL.',
  );
}

async function refuseOccupied(cluster: string): Promise<void> {
  if ((await namesIn(cluster)).length === 0) return;
  throw new EmbeddedPostgresError(
    `${cluster} is not empty and holds no PostgreSQL data (no PG_VERSION); ` +
      'move it away, or set DATABASE_URL.',
  );
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

// Else an upgrade of the binaries would quietly begin with an empty database.
async function refuseSiblings(home: string): Promise<void> {
  for (const name of await namesIn(home)) {
    const major = /^postgres-(\d+)$/.exec(name)?.[1];
    if (major !== undefined && major !== MAJOR) throw otherMajor(path.join(home, name), major);
  }
}

function otherMajor(directory: string, major: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `${directory} was made by PostgreSQL ${major}, and this Foresail brings PostgreSQL ${MAJOR}, ` +
      `which cannot read it; serve it with a PostgreSQL ${major} and set DATABASE_URL, or move ` +
      'the data over (pg_dump there, then restore), or begin empty with another FORESAIL_DATA_DIR.',
  );
}

/**
 * The password of the superuser.
 *
 * @throws {EmbeddedPostgresError} when the file is missing or may not be read.
 */
export async function readPassword({ layout }: Site): Promise<string> {
  try {
    return (await readFile(layout.password, 'utf8')).trim();
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `Cannot read the password of the embedded PostgreSQL (${messageOf(cause)}); run as the ` +
        `owner of ${layout.home}, restore the file, or set DATABASE_URL.`,
      { cause },
    );
  }
}

/** Makes a new random password and stores it, durably, where only we can read it. */
export async function createPassword({ layout }: Site): Promise<string> {
  const password = randomBytes(32).toString('base64url');
  const partial = `${layout.password}.tmp-${randomUUID()}`;
  await writeSecret(partial, password);
  await giveToOwnerOfHome(layout, partial);
  await rename(partial, layout.password);
  return password;
}

/** Writes a file that only its owner can read, and waits until it is on the disk. */
export async function writeSecret(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(`${text}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Opens the server's log for appending; one above 16 MiB is put aside first, the last one kept. */
export async function openLog({ layout }: Site): Promise<Awaited<ReturnType<typeof open>>> {
  const size = await stat(layout.log).then(
    (found) => found.size,
    () => 0,
  );
  if (size > 16 * 2 ** 20) await rename(layout.log, `${layout.log}.1`);
  const handle = await open(layout.log, 'a', 0o600);
  await giveToOwnerOfHome(layout, layout.log);
  return handle;
}
