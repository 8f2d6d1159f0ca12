import { stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { findAccount, isRoot, type Account } from '../../ops/accounts';
import { codeOf, EmbeddedPostgresError } from './embedded-postgres.error';

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
