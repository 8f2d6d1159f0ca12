import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** An account of the operating system. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Its home directory; `/` where that is not known. */
  readonly home: string;
}

/** True when this process has uid 0. False on systems without uids. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Looks an account up in the passwd file, then through `id`, which also sees directory services. */
export async function findAccount(key: string | number): Promise<Account | undefined> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return findInPasswd(passwd, key) ?? (await askId(key));
}

/** The entry of a passwd file with that name or uid. */
export function findInPasswd(passwd: string, key: string | number): Account | undefined {
  for (const line of passwd.split('\n')) {
    const [name, , uid, gid, , home] = line.split(':');
    if (name === undefined || uid === undefined || gid === undefined) continue;
    if (typeof key === 'number' ? Number(uid) === key : name === key) {
      return { name, uid: Number(uid), gid: Number(gid), home: home ?? '/' };
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
    return name === uid ? undefined : { name, uid: Number(uid), gid: Number(gid), home: '/' };
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
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
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
