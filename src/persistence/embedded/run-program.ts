import { spawn } from 'node:child_process';
import type { Account } from '../../ops/accounts';
import { codeOf, EmbeddedPostgresError } from './embedded-postgres.error';

/** How a program of PostgreSQL is run. */
export interface RunOptions {
  /** Who runs it; absent: whoever runs us. */
  readonly account?: Account | undefined;
  /** Environment beside the fixed one. */
  readonly env?: Readonly<Record<string, string>>;
  /** Open file that takes its output; absent: the output is collected. */
  readonly outputTo?: number;
}

/** How a program ended. */
export interface Ended {
  /** Exit status; null when a signal ended it. */
  readonly status: number | null;
  /** Collected output, both streams. */
  readonly output: string;
}

// Settings of the caller's shell (PGOPTIONS, PGPORT, LANG) must not reach the server.
const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/**
 * Runs a program to its end, in a session of its own: Ctrl-C on our terminal does not reach it.
 * The working directory is `/`, which every account can enter.
 *
 * @throws {EmbeddedPostgresError} when it cannot be executed; `cause` is the system's error.
 */
export function runProgram(file: string, args: string[], options: RunOptions): Promise<Ended> {
  const { account, outputTo } = options;
  const sink = outputTo ?? 'pipe';
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: '/',
      detached: true,
      windowsHide: true,
      env: { ...ENVIRONMENT, ...options.env },
      stdio: ['ignore', sink, sink],
      ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.once('error', (cause) => reject(notExecutable(file, account, cause)));
    child.once('close', (status) => resolve({ status, output }));
  });
}

function notExecutable(file: string, account: Account | undefined, cause: Error): Error {
  const who = account === undefined ? '' : ` as "${account.name}"`;
  return new EmbeddedPostgresError(
    `Cannot run ${file}${who} (${codeOf(cause) ?? cause.message}); set DATABASE_URL to use a PostgreSQL server of your own.`,
    { cause },
  );
}
