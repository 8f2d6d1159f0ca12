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
  /** Folders in which that may be, wherever links lead; none: anywhere. */
  readonly roots: readonly string[];
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
  | { readonly kind: 'exited'; readonly code: number; readonly ranMs: number }
  /** The command was not started, and never will be. */
  | { readonly kind: 'cancelled' }
  /** The command could not be started. */
  | { readonly kind: 'unable'; readonly reason: string }
  /** Its supervisor is gone without a word: how it ended is unknown. */
  | { readonly kind: 'orphaned' }
  /** The host was started anew meanwhile: how it ended is unknown. */
  | { readonly kind: 'rebooted' };

/** What a host tells of one attempt. */
export interface JobReport {
  readonly state: JobState;
  /** How many of its processes there are, when it is not running. */
  readonly left: number;
  /** It was told to end before it had ended. */
  readonly stopped: boolean;
  /** It was told to stand still, and not to go on since. */
  readonly paused: boolean;
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
/** What the script says when the supervisor was not seen to begin, and may yet. */
const NOT_SEEN = 75;
const MS_PER_HUNDREDTH = 10;

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
    const own = { TASK_ID: job.taskId, TASK_DISPATCH_ID: job.dispatchId };
    const exports = exportsOf({ ...job.env, ...own });
    // As they stand in the script: quotes make them longer.
    const inline = quoted(exports) + quoted(job.command);
    const isLong = Buffer.byteLength(inline) > MOST_INLINE_BYTES;
    if (isLong) {
      const file = quoted(`${directory}/command`);
      const write = `mkdir -p ${quoted(directory)} && cat >${file}.new && mv ${file}.new ${file}`;
      expectDone(await this.shell.run(write, `${exports}${job.command}`));
    }
    const [environment, command] = isLong ? ['', ''] : [exports, job.command];
    const before = exportsOf({ ...own, FORESAIL_JOB_ENVIRONMENT: environment });
    const roots = job.roots.join('\n');
    const args = [SCRIPT, directory, job.log, job.workdir, roots, this.ulimits, command];
    const answer = await this.shell.run(`${before}${invocation('start', args)}`);
    if (answer.code === NOT_SEEN) throw new HostUnreachableError('it was not seen to begin');
    expectWord('begun', answer);
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
    if (!ids.every((id) => reports.has(id)))
      throw new HostUnreachableError('the host does not tell of all jobs that it was asked for');
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
    return linesOf(text);
  }

  /**
   * Keeps the head and the tail of logs that are longer than this. What their writers write in that
   * very moment may be missing.
   * @throws {HostUnreachableError}
   */
  async cutLogs(logs: readonly string[], mostBytes: number): Promise<void> {
    for (let from = 0; from < logs.length; from += ASKED_AT_ONCE) {
      const some = logs.slice(from, from + ASKED_AT_ONCE).map(quoted);
      const find = `find ${some.join(' ')} -type f -size +${mostBytes}c 2>/dev/null || :`;
      const long = linesOf(expectDone(await this.shell.run(find)));
      for (const log of long)
        expectDone(await this.shell.run(invocation('cut_log', [String(mostBytes), log])));
    }
  }

  /**
   * Resolves when the host has answered.
   * @throws {HostUnreachableError}
   */
  async reach(): Promise<void> {
    expectWord('here', await this.shell.run('echo here'));
  }

  /**
   * Attempts of which the host knows something, whoever started them.
   * @throws {HostUnreachableError}
   */
  async known(): Promise<readonly DispatchId[]> {
    const list = `cd ${quoted(this.root)} 2>/dev/null && ls || :`;
    return linesOf(expectDone(await this.shell.run(list))) as DispatchId[];
  }

  /**
   * Forgets the attempts: what is known of them is recorded elsewhere.
   * @throws {HostUnreachableError}
   */
  async remove(ids: readonly DispatchId[]): Promise<void> {
    for (let from = 0; from < ids.length; from += ASKED_AT_ONCE) {
      const some = ids.slice(from, from + ASKED_AT_ONCE).map((id) => quoted(this.directoryOf(id)));
      expectDone(await this.shell.run(`rm -rf -- ${some.join(' ')}`));
    }
  }

  private directoryOf(id: DispatchId): string {
    return `${this.root}/${id}`;
  }

  private get ulimits(): string {
    const { openFiles, processes } = this.limits;
    return [
      openFiles === null ? '' : `ulimit -n ${openFiles}`,
      // Shells name it by one of two letters.
      processes === null ? '' : `ulimit -u ${processes} || ulimit -p ${processes}`,
    ].join('\n');
  }
}

/** Lines of a script. */
function exportsOf(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
    .join('');
}

function invocation(verb: string, args: readonly string[]): string {
  return `exec sh -c ${[SCRIPT, 'foresail-job', verb, ...args].map(quoted).join(' ')}`;
}

/** @throws {Error} when the script failed: the host has no such programs, or no room */
function expectDone({ code, output, complaint }: ShellAnswer): string {
  if (code !== DONE) throw new Error(complaint.trim() || `the script ended with ${code}`);
  return output;
}

/** @throws {HostUnreachableError} when it was not this script that has run, but who knows what */
function expectWord(word: string, answer: ShellAnswer): void {
  if (linesOf(expectDone(answer)).includes(word)) return;
  throw new HostUnreachableError('the prefix does not run what it is given: the answer is missing');
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function reportIn(line: string): [DispatchId, JobReport] | undefined {
  const [id, left, told = '', kind, ...rest] = line.split(' ');
  if (id === undefined || kind === undefined) return undefined;
  const state = stateIn(kind, rest);
  const [stopped, paused] = [told.includes('s'), told.includes('p')];
  return [id as DispatchId, { state, left: Number(left), stopped, paused }];
}

function stateIn(kind: string, rest: readonly string[]): JobState {
  switch (kind) {
    case 'exited': {
      const [code, hundredths] = rest.map(Number);
      return { kind, code: code ?? NaN, ranMs: (hundredths ?? 0) * MS_PER_HUNDREDTH };
    }
    case 'unable':
      return { kind, reason: rest.join(' ').trim() };
    case 'absent':
    case 'begun':
    case 'running':
    case 'cancelled':
    case 'orphaned':
    case 'rebooted':
      return { kind };
    default:
      throw new HostUnreachableError(`the host answered in other words: ${kind}`);
  }
}
