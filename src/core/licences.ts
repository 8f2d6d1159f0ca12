import type { Held } from './backlog';
import type { Task } from './task';

/** A pool of licence tokens, which jobs on all hosts draw from. */
export interface LicencePool {
  readonly name: string;
  /** How many there are. */
  readonly tokens: number;
  /** What the jobs at hosts have of them; above `tokens` where those were lowered. */
  readonly used: number;
}

/** The pool of every tool that has none of its own. */
const DEFAULT_POOL = 'default';

/**
 * The licence pools that an operator has configured, by name. What is used of them is computed from
 * the jobs that occupy hosts whenever it is asked for, never counted up and down.
 */
export class LicencePools {
  private readonly tokens = new Map<string, number>();

  /**
   * @param held the attempts that occupy hosts
   * @param changed called when there is another number of tokens than before
   */
  constructor(
    private readonly held: () => Iterable<Held>,
    private readonly changed: () => void,
  ) {}

  /** Makes a pool, or gives it another number of tokens; fewer than are used is allowed. */
  set(name: string, tokens: number): void {
    this.tokens.set(name, tokens);
    this.changed();
  }

  /** @returns false when there was no such pool */
  delete(name: string): boolean {
    const isGone = this.tokens.delete(name);
    if (isGone) this.changed();
    return isGone;
  }

  /** The pool that jobs with this tool draw from: its own, else `default`; undefined: no limit. */
  poolOf(tool: string): string | undefined {
    if (tool !== '' && this.tokens.has(tool)) return tool;
    return this.tokens.has(DEFAULT_POOL) ? DEFAULT_POOL : undefined;
  }

  /** Every pool, by name. */
  all(): readonly LicencePool[] {
    const free = this.free();
    return [...this.tokens]
      .map(([name, tokens]) => ({ name, tokens, used: tokens - (free.get(name) ?? 0) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Tokens that nobody has, by pool; below 0 where they were lowered under what is used. */
  free(): Map<string, number> {
    const free = new Map(this.tokens);
    if (free.size === 0) return free;
    for (const { task } of this.held()) {
      const { pool, tokens } = this.drawOf(task);
      if (pool !== undefined) free.set(pool, (free.get(pool) ?? 0) - tokens);
    }
    return free;
  }

  /** The attempts that have tokens of that pool. */
  drawersOf(pool: string | undefined): readonly Held[] {
    if (pool === undefined) return [];
    return [...this.held()].filter(({ task }) => this.drawOf(task).pool === pool);
  }

  /** What the task draws while it is at a host, and from which pool. */
  drawOf({ job }: Pick<Task, 'job'>): LicenceDraw {
    const pool = job === null || job.tokens <= 0 ? undefined : this.poolOf(job.tool);
    return { pool, tokens: pool === undefined ? 0 : (job?.tokens ?? 0) };
  }
}

/** How many tokens of which pool; of no pool where there is no limit. */
export interface LicenceDraw {
  readonly pool: string | undefined;
  readonly tokens: number;
}
