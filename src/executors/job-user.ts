import { userInfo } from 'node:os';
import { ConfigError, shownValue } from '../config/config-error';
import type { Config } from '../config/config.schema';
import { findAccount, firstClosedDirectory, isRoot, type Account } from '../ops/accounts';

/** Injection token of the account that commands run as; undefined: the service's own. */
export const JOB_USER = Symbol('JobUser');

/**
 * The account that commands run as. Root never runs them itself, and nobody else can be another
 * account than it is.
 * @param root the service's own folder for jobs
 * @param databaseOwner the account of the embedded PostgreSQL, whose files no command may reach
 * @throws {ConfigError} that names the setting
 */
export async function jobUserOf(
  { enabled, jobUser }: Pick<Config['commands'], 'enabled' | 'jobUser'>,
  root: string,
  databaseOwner?: number,
): Promise<Account | undefined> {
  if (!enabled) return undefined;
  if (!isRoot()) {
    if (jobUser !== undefined && jobUser !== userInfo().username)
      refuse(`only root can run commands as ${jobUser}; leave it out, or start as root`);
    return undefined;
  }
  if (jobUser === undefined) refuse('commands do not run as root: name an account for them');
  const account = await findAccount(jobUser);
  if (account === undefined) refuse(`there is no account ${shownValue(jobUser)}`);
  if (account.uid === 0) refuse(`${jobUser} is root; name an account without rights of its own`);
  if (account.uid === databaseOwner)
    refuse(`${jobUser} owns the embedded PostgreSQL; name another account`);
  const closed = await firstClosedDirectory(root, account);
  if (closed !== undefined)
    refuse(`${jobUser} cannot enter ${closed}, on the way to ${root}: see FORESAIL_WORK_ROOTS`);
  return account;
}

function refuse(msg: string): never {
  throw new ConfigError([{ name: 'FORESAIL_JOB_USER', where: 'start', msg }]);
}
