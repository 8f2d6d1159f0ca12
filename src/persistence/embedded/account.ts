import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { codeOf, EmbeddedPostgresError } from './embedded-postgres.error';
import type { Account } from './run-program';

/** What the choice of an account depends on. */
export interface AccountFacts {
  /** Owner of the data that is there already. */
  readonly ownerUid: number | undefined;
  /** The account the operator configured. */
  readonly configured: string | undefined;
  /** Looks an account up by name or uid. */
  readonly find: (key: string | number) => Promise<Account | undefined>;
}

/**
 * Which account runs PostgreSQL when we are root, which PostgreSQL itself refuses to be: the owner
 * of the existing data, the configured user, `postgres`, `nobody`. Accounts are never created.
 *
 * @throws {EmbeddedPostgresError} when the one that has to be taken is missing, or is root.
 */
export async function chooseAccount(facts: AccountFacts): Promise<Account> {
  if (facts.ownerUid !== undefined) {
    return unprivileged(facts.ownerUid, 'owns the data directory', facts);
  }
  if (facts.configured !== undefined) {
    return unprivileged(facts.configured, 'is configured to run PostgreSQL', facts);
  }
  const account = (await facts.find('postgres')) ?? (await facts.find('nobody'));
  if (account !== undefined) return account;
  throw new EmbeddedPostgresError(
    'PostgreSQL does not run as root, and neither "postgres" nor "nobody" exists on this machine; ' +
      'run Foresail as a plain user, or set DATABASE_URL.',
  );
}

async function unprivileged(
  key: string | number,
  why: string,
  { find }: AccountFacts,
): Promise<Account> {
  const shown = typeof key === 'number' ? `uid ${key}` : `"${key}"`;
  const account = await find(key);
  if (account === undefined) {
    throw new EmbeddedPostgresError(
      `The account ${shown} ${why}, but this machine does not know it; ` +
        'name an existing account, or set DATABASE_URL.',
    );
  }
  if (account.uid === 0) {
    throw new EmbeddedPostgresError(
      `The account ${shown} ${why}, but PostgreSQL does not run as root; ` +
        'give the directory to a plain account (chown -R), or set DATABASE_URL.',
    );
  }
  return account;
}

/** True when this process has uid 0. False on systems without uids. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The account to run PostgreSQL as, for the data directory `home` with its `cluster`; undefined
 * when we are not root, and run it ourselves.
 *
 * @throws {EmbeddedPostgresError} as `chooseAccount`, or when our own uid has no passwd entry.
 */
export async function accountFor(
  paths: { home: string; cluster: string },
  configured: string | undefined,
): Promise<Account | undefined> {
  if (!isRoot()) {
    requireOwnEntry();
    return undefined;
  }
  const homeOwner = await ownerOf(paths.home);
  const dataOwner = await ownerOf(path.join(paths.cluster, 'PG_VERSION'));
  // A directory that root made says nothing about who should run the server in it.
  const ownerUid = dataOwner ?? (homeOwner === 0 ? undefined : homeOwner);
  return chooseAccount({ ownerUid, configured, find: findAccount });
}

/** Name of the account that PostgreSQL runs as. */
export function accountName(account: Account | undefined): string {
  return account?.name ?? os.userInfo().username;
}

function requireOwnEntry(): void {
  try {
    os.userInfo();
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `PostgreSQL needs an account with a passwd entry, and uid ${process.getuid?.() ?? '?'} has ` +
        'none; run Foresail as a known user, or set DATABASE_URL.',
      { cause },
    );
  }
}

async function ownerOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).uid;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Looks an account up in the passwd file, then through `id`, which also sees directory services. */
export async function findAccount(key: string | number): Promise<Account | undefined> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return findInPasswd(passwd, key) ?? (await askId(key));
}

/** The entry of a passwd file with that name or uid. */
export function findInPasswd(passwd: string, key: string | number): Account | undefined {
  for (const line of passwd.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === undefined || uid === undefined || gid === undefined) continue;
    if (typeof key === 'number' ? Number(uid) === key : name === key) {
      return { name, uid: Number(uid), gid: Number(gid) };
    }
  }
  return undefined;
}

async function askId(key: string | number): Promise<Account | undefined> {
  const ask = async (flag: string): Promise<string> => {
    const { stdout } = await promisify(execFile)('id', [flag, '--', String(key)]);
    return stdout.trim();
  };
  try {
    const [name, uid, gid] = await Promise.all([ask('-un'), ask('-u'), ask('-g')]);
    // `id 12345` of some systems echoes a number that nobody has.
    return name === uid ? undefined : { name, uid: Number(uid), gid: Number(gid) };
  } catch {
    return undefined;
  }
}

/**
 * The first directory on the way to `target` that the account cannot enter, judged by mode bits;
 * undefined when all can be entered. Parts that do not exist yet are passed over.
 */
export async function firstClosedDirectory(
  target: string,
  account: Account,
): Promise<string | undefined> {
  const { root } = path.parse(target);
  const names = path.relative(root, target).split(path.sep);
  for (let depth = 0; depth < names.length; depth += 1) {
    const directory = path.join(root, ...names.slice(0, depth));
    try {
      if (!mayEnter(await stat(directory), account)) return directory;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
  return undefined;
}

/** Whether the mode bits let the account pass through a directory. */
export function mayEnter(
  directory: { mode: number; uid: number; gid: number },
  account: Account,
): boolean {
  if (directory.uid === account.uid) return (directory.mode & 0o100) !== 0;
  if (directory.gid === account.gid) return (directory.mode & 0o010) !== 0;
  return (directory.mode & 0o001) !== 0;
}
