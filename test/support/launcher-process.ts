import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { transformFile } from '@swc/core';
import type { ChildLine } from './launcher-child';

const ROOT = path.join(__dirname, '..', '..');
const SOURCES = [
  'src/persistence/embedded',
  'src/ops/accounts.ts',
  'test/support/launcher-child.ts',
];

type Started = Extract<ChildLine, { started: unknown }>['started'];

/** A Node process that has the embedded PostgreSQL running, or tries to. */
export interface LauncherProcess {
  readonly process: ChildProcess;
  /** Everything it has logged so far. */
  readonly log: string[];
  /** Its connection, once there is one; rejects with the launcher's message. */
  readonly started: Promise<Started>;
  /** Asks it to stop as the service does, and resolves with what came of it. */
  stop(): Promise<string>;
  /** Sends a signal to it, or to its whole process group, and waits for its end. */
  kill(signal: NodeJS.Signals, target?: 'process' | 'group'): Promise<void>;
}

const running: LauncherProcess[] = [];

/**
 * Compiles the launcher and the child's script, from the sources as they are now, into a directory
 * of its own: a checkout that can be put wherever a test needs one.
 */
export async function compileLauncher(checkout: string): Promise<void> {
  for (const source of SOURCES) {
    const names = source.endsWith('.ts') ? [''] : await readdir(path.join(ROOT, source));
    for (const name of names.filter((found) => !found.endsWith('.spec.ts'))) {
      await compile(path.join(source, name), checkout);
    }
  }
}

async function compile(file: string, checkout: string): Promise<void> {
  const { code } = await transformFile(path.join(ROOT, file), {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
    configFile: false,
    swcrc: false,
  });
  const target = path.join(checkout, file.replace(/\.ts$/, '.js'));
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, code);
}

/** Kills what is left of the processes of this test. */
export async function killLaunchers(): Promise<void> {
  for (const launcher of running.splice(0)) await launcher.kill('SIGKILL');
}

/**
 * Runs the launcher of a checkout in a process of its own, which leads a process group. Packages
 * that the checkout does not have are those of the project.
 */
export function startLauncher(checkout: string, dataDir: string): LauncherProcess {
  const script = path.join(checkout, 'test/support/launcher-child.js');
  const child = spawn(process.execPath, [script, dataDir], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], NODE_PATH: path.join(ROOT, 'node_modules') },
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const log: string[] = [];
  let stopped: (how: string) => void = () => undefined;
  const started = new Promise<Started>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as ChildLine;
      if ('log' in line) log.push(line.log);
      else if ('started' in line) resolve(line.started);
      else if ('failed' in line) reject(new Error(line.failed));
      else stopped(line.stopped);
    });
    child.once('close', () => reject(new Error('the process ended before PostgreSQL was there')));
  });
  // A test may kill it before it looks at the outcome.
  started.catch(() => undefined);
  const launcher: LauncherProcess = {
    process: child,
    log,
    started,
    stop: async () => {
      const answer = new Promise<string>((resolve) => (stopped = resolve));
      child.stdin.write('stop\n');
      const how = await answer;
      await ended;
      return how;
    },
    kill: async (signal, target = 'process') => {
      const { pid } = child;
      if (pid === undefined) throw new Error('the process was never there');
      if (child.exitCode !== null || child.signalCode !== null) return;
      process.kill(target === 'group' ? -pid : pid, signal);
      await ended;
    },
  };
  running.push(launcher);
  return launcher;
}
