import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DispatchId, TaskId } from '../../core/units';
import { HostUnreachableError, quoted, type HostShell, type ShellAnswer } from './host-shell';

/** One attempt to run a command, with everything that it needs. */
export interface JobStart {
  readonly taskId: TaskId;
  readonly dispatchId: DispatchId;
  /** For `sh -c`. */
  readonly command: string;
  /** Made when it is not there. */
  readonly workdir: string;
  /** Gets standard output and standard error, at its end. */
  readonly log: string;
  /** Set beside the short list of the host; names as `[A-Za-z_][A-Za-z0-9_]*`. */
  readonly env: Readonly<Record<string, string>>;
}

/** What one process may use of a host. Null: as the host has it. */
export interface JobLimits {
  readonly openFiles: number | null;
  readonly processes: number | null;
}

/** What became of an attempt, as its host tells. */
export type JobState =
  /** Its host knows nothing of it. */
  | { readonly kind: 'absent' }
  /** A start was begun, and the command does not run yet. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'running' }
  /** It has run; 128 + n: ended by signal n. */
  | { readonly kind: 'exited'; readonly code: number }
  /** The command was not started, and never will be. */
  | { readonly kind: 'cancelled' }
  /** The command could not be started. */
  | { readonly kind: 'unable'; readonly reason: string }
  /** Its supervisor is gone without a word: how it ended is unknown. */
  | { readonly kind: 'orphaned' }
  /** The host was started anew meanwhile: how it ended is unknown. */
  | { readonly kind: 'rebooted' };

/** The state of one attempt, and how many of its processes are left when it is not running. */
export interface JobReport {
  readonly state: JobState;
  readonly left: number;
}

/** Signals that jobs get. */
export type JobSignal = 'TERM' | 'KILL' | 'STOP' | 'CONT';

const SCRIPT = readFileSync(join(__dirname, 'job.sh'), 'utf8');
/** One argument of a program can be 128 KiB; the script has to go with it. */
const MOST_INLINE_BYTES = 64 * 1024;
/** Attempts that one call asks for. */
const ASKED_AT_ONCE = 100;
/** Lines of a log are looked for among this many bytes at its end. */
const TAIL_BYTES = 4 * 1024 * 1024;
const DONE = 0;

/**
 * The commands of attempts on one host. Each runs under a small supervisor in a session of its own,
 * which needs nobody: it outlives the scheduler and the connection, and leaves the exit code in a
 * file (RELIABILITY_MODEL, section 7). Everything here may be repeated.
 */
export class HostJobs {
  /** @param root folder on the host that holds one directory per attempt; absolute */
  constructor(
    private readonly shell: HostShell,
    private readonly root: string,
    private readonly limits: JobLimits,
  ) {}

  /**
   * Starts the command, unless it was started or cancelled before.
   * @throws {HostUnreachableError} when it is unknown whether it starts
   * @throws {Error} when the host cannot start anything
   */
  async start(job: JobStart): Promise<void> {
    const directory = this.directoryOf(job.dispatchId);
    const isLong = Buffer.byteLength(job.command) > MOST_INLINE_BYTES;
    if (isLong) {
      const file = quoted(`${directory}/command`);
      const write = `mkdir -p ${quoted(directory)} && cat >${file}.new && mv ${file}.new ${file}`;
      expectDone(await this.shell.run(write, job.command));
    }
    const env = { ...job.env, TASK_ID: job.taskId, TASK_DISPATCH_ID: job.dispatchId };
    const exports = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`);
    const command = isLong ? '' : job.command;
    const args = [SCRIPT, directory, job.log, job.workdir, this.ulimits, command];
    expectDone(await this.shell.run([...exports, invocation('start', args)].join('\n')));
  }

  /**
   * What became of these attempts.
   * @throws {HostUnreachableError}
   */
  async states(ids: readonly DispatchId[]): Promise<ReadonlyMap<DispatchId, JobReport>> {
    const reports = new Map<DispatchId, JobReport>();
    for (let from = 0; from < ids.length; from += ASKED_AT_ONCE) {
      const some = ids.slice(from, from + ASKED_AT_ONCE);
      const args = some.flatMap((id) => [id, this.directoryOf(id)]);
      const answer = expectDone(await this.shell.run(invocation('states', args)));
      for (const line of answer.split('\n')) {
        const report = reportIn(line);
        if (report) reports.set(...report);
      }
    }
    return reports;
  }

  /**
   * Sees to it that the command does not start any more.
   * @returns false when it was started already
   * @throws {HostUnreachableError}
   */
  async cancel(id: DispatchId): Promise<boolean> {
    const answer = await this.shell.run(invocation('cancel', [this.directoryOf(id)]));
    return expectDone(answer).trim() === 'cancelled';
  }

  /**
   * Sends the signals, in this order, to all processes of the attempt but its supervisor: also to
   * those that left its session.
   * @returns how many there still are
   * @throws {HostUnreachableError}
   */
  async signal(id: DispatchId, ...signals: readonly JobSignal[]): Promise<number> {
    const answer = await this.shell.run(
      invocation('signal', [id, this.directoryOf(id), ...signals]),
    );
    return Number(expectDone(answer));
  }

  /**
   * The last lines of a log, found from its end; none when there is no log. What is not UTF-8 is
   * replaced.
   * @throws {HostUnreachableError}
   */
  async lastLines(log: string, count: number): Promise<readonly string[]> {
    const args = [String(count), String(TAIL_BYTES), log];
    const text = expectDone(await this.shell.run(invocation('last', args)));
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines;
  }

  /**
   * Keeps the head and the tail of a log that is longer than this. What its writer writes in that
   * very moment may be missing.
   * @throws {HostUnreachableError}
   */
  async cutLog(log: string, mostBytes: number): Promise<void> {
    expectDone(await this.shell.run(invocation('cut_log', [String(mostBytes), log])));
  }

  /** Forgets the attempt: what is known of it is recorded elsewhere. */
  async remove(id: DispatchId): Promise<void> {
    expectDone(await this.shell.run(`rm -rf -- ${quoted(this.directoryOf(id))}`));
  }

  private directoryOf(id: DispatchId): string {
    return `${this.root}/${id}`;
  }

  private get ulimits(): string {
    const { openFiles, processes } = this.limits;
    return [
      openFiles === null ? '' : `ulimit -n ${openFiles}`,
      processes === null ? '' : `ulimit -u ${processes}`,
    ].join('\n');
  }
}

function invocation(verb: string, args: readonly string[]): string {
  return `exec sh -c ${[SCRIPT, 'foresail-job', verb, ...args].map(quoted).join(' ')}`;
}

/** @throws {Error} when the script failed: the host has no such programs, or no room */
function expectDone({ code, output, complaint }: ShellAnswer): string {
  if (code !== DONE) throw new Error(complaint.trim() || `the script ended with ${code}`);
  return output;
}

function reportIn(line: string): [DispatchId, JobReport] | undefined {
  const [id, left, kind, ...rest] = line.split(' ');
  if (id === undefined || kind === undefined) return undefined;
  return [id as DispatchId, { state: stateIn(kind, rest.join(' ')), left: Number(left) }];
}

function stateIn(kind: string, rest: string): JobState {
  switch (kind) {
    case 'exited':
      return { kind, code: Number(rest) };
    case 'unable':
      return { kind, reason: rest.trim() };
    case 'absent':
    case 'begun':
    case 'running':
    case 'cancelled':
    case 'orphaned':
    case 'rebooted':
      return { kind };
    default:
      throw new HostUnreachableError(`the host answered in other words: ${kind} ${rest}`);
  }
}
