import { tmpdir } from 'node:os';
import { isAbsolute, join, normalize, resolve, sep } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '../config/config.module';
import { shownValue } from '../config/config-error';
import type { Config } from '../config/config.schema';
import type { TaskId } from '../core/units';
import { dataDirOf } from './data-dir';

/** Where jobs work, and what they leave: the same paths on every host. */
@Injectable()
export class JobPlaces {
  /** Folders in which commands may work; the first is the service's own. */
  readonly roots: readonly [string, ...string[]];

  constructor(@Inject(CONFIG) { commands, database }: Pick<Config, 'commands' | 'database'>) {
    const [own, ...others] = commands.workRoots;
    this.roots =
      own === undefined ? [join(dataDirOf(database), 'jobs'), tmpdir()] : [own, ...others];
  }

  /** One directory per attempt, by its dispatch id. */
  get attempts(): string {
    return join(this.roots[0], 'attempts');
  }

  /** What the commands of a job have written, of all its attempts. */
  logPath(id: TaskId): string {
    return join(this.roots[0], 'logs', `${id}.log`);
  }

  /**
   * Where the command of a job works.
   * @param workdir as it was asked for; relative to a folder of the job's own
   */
  workdirOf(id: TaskId, workdir: string): string {
    return resolve(this.roots[0], 'work', id, workdir);
  }

  /**
   * Why no command may work there; undefined when it may, as far as can be said without a look at
   * any host: where links lead is looked at on starting.
   */
  objectionTo(workdir: string): string | undefined {
    if (workdir !== '' && !workdir.includes('\0') && this.isWithin(normalize(workdir))) {
      return undefined;
    }
    const roots = this.roots.join(', ');
    const allowed = `allowed are ".", what is below it, and what is in ${roots}`;
    return `${shownValue(workdir)} is not allowed; ${allowed}`;
  }

  private isWithin(workdir: string): boolean {
    if (!isAbsolute(workdir)) return workdir !== '..' && !workdir.startsWith(`..${sep}`);
    return this.roots.some((root) => `${workdir}${sep}`.startsWith(join(root, sep)));
  }
}
