import { chmod, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { removeScratch, scratchDirectory } from '../../test/support/scratch';
import { findAccount, isRoot } from '../ops/accounts';
import { jobUserOf } from './job-user';

/** Some account that is neither root nor ours. */
const SOMEBODY = 'daemon';

describe('jobUserOf', () => {
  let folder: string;

  beforeEach(async () => (folder = await scratchDirectory()));
  afterEach(() => removeScratch(folder));

  const userOf = (jobUser?: string, owner?: number, root = folder) =>
    jobUserOf({ enabled: true, jobUser }, root, owner);

  it('is nobody while commands are off', async () => {
    const off = { enabled: false, jobUser: 'nobody knows him' };
    expect(await jobUserOf(off, folder)).toBeUndefined();
  });

  function asRoot(): void {
    it('is the account that was named', async () => {
      expect(await userOf(SOMEBODY)).toMatchObject({ name: SOMEBODY, uid: expect.any(Number) });
    });

    it.each([
      [undefined, 'commands do not run as root: name an account for them'],
      ['root', 'root is root; name an account without rights of its own'],
      ['eve-unknown', 'there is no account "eve-unknown"'],
    ])('is not %s', async (name, why) => {
      await expect(userOf(name)).rejects.toThrow(`FORESAIL_JOB_USER (start): ${why}`);
    });

    it('is not the owner of the embedded PostgreSQL', async () => {
      const { uid = -1 } = (await findAccount(SOMEBODY)) ?? {};
      await expect(userOf(SOMEBODY, uid)).rejects.toThrow(
        `${SOMEBODY} owns the embedded PostgreSQL; name another account`,
      );
    });

    it('can enter the folder of the jobs', async () => {
      const closed = join(folder, 'closed');
      await mkdir(closed);
      await chmod(closed, 0o700);
      await expect(userOf(SOMEBODY, undefined, join(closed, 'jobs'))).rejects.toThrow(
        `${SOMEBODY} cannot enter ${closed}, on the way to ${closed}/jobs`,
      );
    });
  }

  function asPlainUser(): void {
    it('is the service itself', async () => {
      expect(await userOf()).toBeUndefined();
      expect(await userOf(userInfo().username)).toBeUndefined();
    });

    it('is nobody else', async () => {
      await expect(userOf(SOMEBODY)).rejects.toThrow(`only root can run commands as ${SOMEBODY}`);
    });
  }

  // What holds depends on who runs the tests: CI does as root, people mostly do not.
  if (isRoot()) describe('where the service is root', asRoot);
  else describe('where the service is a plain user', asPlainUser);
});
