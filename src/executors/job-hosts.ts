import { chownSync, mkdirSync } from 'node:fs';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { commandEnvironment } from '../config/command-environment';
import { isAmong, splitCommandLine } from '../config/command-line';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { SchedulerError } from '../core/errors';
import type { Account } from '../ops/accounts';
import { JobPlaces } from '../ops/job-places';
import { JOB_USER } from './job-user';
import { HostJobs } from './processes/host-jobs';
import { HostShell } from './processes/host-shell';

/** Time for one script on a host, in ms. A start that takes longer is doubted, and looked for. */
const SCRIPT_MS = 20_000;

/** The way to the jobs on each host: here, or through its prefix. */
@Injectable()
export class JobHosts implements OnModuleInit {
  private readonly known = new Map<string, HostJobs>();

  constructor(
    @Inject(configOf('commands')) private readonly commands: Config['commands'],
    private readonly places: JobPlaces,
    @Inject(JOB_USER) private readonly user: Account | undefined,
  ) {}

  /** The folder of the service's own belongs to who runs the commands, if it is made here. */
  onModuleInit(): void {
    if (!this.commands.enabled) return;
    const [root] = this.places.roots;
    const made = mkdirSync(root, { recursive: true });
    if (made !== undefined && this.user) chownSync(root, this.user.uid, this.user.gid);
  }

  /**
   * The jobs on the hosts of that prefix; those without one are all this machine. There is no way to
   * them while commands are switched off: nobody is known then with whose rights to look.
   * @throws {SchedulerError} invalid_input for a prefix that is not allowed, and without commands
   */
  at(prefix: string): HostJobs {
    if (!this.commands.enabled) {
      throw new SchedulerError('invalid_input', 'commands are switched off (FORESAIL_COMMANDS)');
    }
    const known = this.known.get(prefix);
    if (known) return known;
    const shell = new HostShell({
      prefix: this.argumentsOf(prefix),
      environment: this.environment,
      timeoutMs: SCRIPT_MS,
      ...(this.user && { user: { uid: this.user.uid, gid: this.user.gid } }),
    });
    const { openFiles, processes } = this.commands;
    const jobs = new HostJobs(shell, this.places.attempts, { openFiles, processes });
    this.known.set(prefix, jobs);
    return jobs;
  }

  /**
   * The program that leads to a host, and its arguments; none for this machine.
   * @throws {SchedulerError} invalid_input for a prefix that is not allowed
   */
  argumentsOf(prefix: string): readonly string[] {
    const words = splitCommandLine(prefix);
    if (words?.length === 0 || (words && isAmong(words, this.commands.executorPrefixes)))
      return words;
    const why = words ? 'is not in FORESAIL_EXECUTOR_PREFIXES' : 'has a quote that is not closed';
    // As it is: what stands before an `@` is an account here, and no password.
    const msg = `${JSON.stringify(prefix)} ${why}`;
    const fault = { loc: ['body', 'executor_prefix'], msg, type: 'value' };
    throw new SchedulerError('invalid_input', `executor_prefix: ${msg}`, { faults: [fault] });
  }

  /** The short list, and who runs it. */
  private get environment(): Record<string, string> {
    const short = commandEnvironment([]);
    if (!this.user) return short;
    const { name, home } = this.user;
    return { ...short, HOME: home, USER: name, LOGNAME: name };
  }
}
