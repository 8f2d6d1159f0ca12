import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { codeOf, EmbeddedPostgresError } from './embedded-postgres.error';
import type { Account } from '../../ops/accounts';
import { runProgram } from './run-program';

/** The programs of PostgreSQL. All paths are absolute. */
export interface Binaries {
  readonly initdb: string;
  readonly pgCtl: string;
  readonly postgres: string;
}

/** A directory with `bin`, `lib` and `share` of PostgreSQL, and the version in it (`18.4`). */
export interface Distribution {
  readonly native: string;
  readonly version: string;
}

const OWN_SERVER = 'set DATABASE_URL to use a PostgreSQL server of your own.';

/**
 * Finds the PostgreSQL that npm installed for this platform. The package itself is an ES module and
 * is not loaded; only its place is asked for.
 *
 * @throws {EmbeddedPostgresError} when there is none for this platform, or it was not installed.
 */
export async function findDistribution(): Promise<Distribution> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const root = path.join(path.dirname(require.resolve(name)), '..');
    const text = await readFile(path.join(root, 'package.json'), 'utf8');
    const version = /"version": *"(\d+\.\d+)/.exec(text)?.[1] ?? 'unknown';
    return { native: path.join(root, 'native'), version };
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `No bundled PostgreSQL for this platform (${name} is not installed); ${OWN_SERVER}`,
      { cause },
    );
  }
}

/**
 * Makes the binaries usable for the account: library links made, everything readable. They are used
 * where npm put them if that works, else (checkout below a closed directory, read-only install)
 * copied once into `<home>/bin-<version>`.
 *
 * @throws {EmbeddedPostgresError} when PostgreSQL does not run on this machine at all.
 */
export async function prepareBinaries(
  home: string,
  account: Account | undefined,
  log: (line: string) => void,
): Promise<Binaries> {
  const { native, version } = await findDistribution();
  const copy = path.join(home, `bin-${version}`);
  if (await exists(copy)) return programs(copy);
  if (await linkLibraries(native)) {
    const reason = await whyNotRunning(programs(native), account);
    if (reason === undefined) return programs(native);
    if (reason !== 'unreachable') throw doesNotRun(reason);
  }
  log(`copying the PostgreSQL binaries to ${copy}, since they cannot be used at ${native}`);
  await copyDistribution(native, copy);
  const reason = await whyNotRunning(programs(copy), account);
  if (reason !== undefined) throw doesNotRun(reason);
  return programs(copy);
}

function programs(native: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const at = (name: string): string => path.join(native, 'bin', `${name}${suffix}`);
  return { initdb: at('initdb'), pgCtl: at('pg_ctl'), postgres: at('postgres') };
}

function doesNotRun(reason: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `The bundled PostgreSQL does not run on this machine (${reason}); ${OWN_SERVER}`,
  );
}

/** Tries `postgres --version` as that account: cheaper and truer than looking at mode bits. */
async function whyNotRunning(
  { postgres }: Binaries,
  account: Account | undefined,
): Promise<string | undefined> {
  try {
    const { status, output } = await runProgram(postgres, ['--version'], { account });
    if (status === 0) return undefined;
    // The program was entered, but its libraries were not.
    if (output.includes('Permission denied')) return 'unreachable';
    return output.trim().split('\n')[0] ?? `status ${status ?? 'unknown'}`;
  } catch (error) {
    const code = error instanceof EmbeddedPostgresError ? codeOf(error.cause) : undefined;
    if (code === 'EACCES') return 'unreachable';
    // The file is there, its loader is not: a system with another C library.
    if (code === 'ENOENT') return 'it is built for glibc 2.27 or newer';
    throw error;
  }
}

/**
 * Creates the library links that npm packages cannot carry, from `pg-symlinks.json`; those that
 * exist are left alone. False when the directory cannot be written.
 */
export async function linkLibraries(native: string): Promise<boolean> {
  for (const { source, target } of await readLinks(native)) {
    const link = path.join(native, path.relative('native', target));
    try {
      await symlink(path.basename(source), link);
    } catch (error) {
      const code = codeOf(error) ?? '';
      if (code === 'EEXIST' || (await exists(link))) continue;
      if (['EACCES', 'EPERM', 'EROFS'].includes(code)) return false;
      throw error;
    }
  }
  return true;
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

async function readLinks(native: string): Promise<LibraryLink[]> {
  const file = path.join(native, 'pg-symlinks.json');
  // Windows packages have no links.
  if (!(await exists(file))) return [];
  const links: unknown = JSON.parse(await readFile(file, 'utf8'));
  if (!Array.isArray(links) || !links.every(isLibraryLink)) {
    throw new EmbeddedPostgresError(`${file} is damaged; reinstall with "npm ci".`);
  }
  return links;
}

function isLibraryLink(value: unknown): value is LibraryLink {
  return (
    typeof value === 'object' &&
    value !== null &&
    'source' in value &&
    typeof value.source === 'string' &&
    'target' in value &&
    typeof value.target === 'string'
  );
}

/** Copies a distribution so that every account can read and run it; complete or not there at all. */
export async function copyDistribution(native: string, target: string): Promise<void> {
  const partial = `${target}.tmp-${randomUUID()}`;
  try {
    await copyReadable(native, partial);
    await linkLibraries(partial);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

// Modes are set, not copied: a clone made under umask 077 is closed to the other account.
async function copyReadable(source: string, target: string): Promise<void> {
  await mkdir(target);
  await chmod(target, 0o755);
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const [from, to] = [path.join(source, entry.name), path.join(target, entry.name)];
    if (entry.isDirectory()) await copyReadable(from, to);
    else if (entry.isFile()) {
      await copyFile(from, to);
      await chmod(to, ((await stat(from)).mode & 0o100) === 0 ? 0o644 : 0o755);
    }
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
