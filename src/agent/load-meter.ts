import type { Logger } from 'pino';
import type { Load } from './load';
import type { LoadSource } from './load-source';

/**
 * The load of a worker as far as it is known. While the source fails it is unknown again: figures from
 * before would end placements that have come since, and ask for more.
 */
export class LoadMeter {
  private last: Load;
  private isFailing = false;
  private isClosed = false;

  /** @param unknown what holds until it was read, and while it cannot be */
  constructor(
    private readonly source: LoadSource | null,
    private readonly unknown: Load,
    private readonly log: Logger,
  ) {
    this.last = unknown;
  }

  /** What is known of it now. */
  get latest(): Load {
    return this.last;
  }

  /** Reads anew. Never rejects: says once that it fails, and once that it works again. */
  async read(): Promise<Load> {
    if (this.source === null) return this.last;
    try {
      this.last = await this.source.read();
      if (this.isFailing) this.log.info({ event: 'load_read' }, 'the load can be read again');
      this.isFailing = false;
    } catch (error) {
      this.complain(error instanceof Error ? error.message : String(error));
    }
    return this.last;
  }

  /** Ends a reading under way, which is no failure then. */
  close(): void {
    this.isClosed = true;
    this.source?.close();
  }

  private complain(reason: string): void {
    if (this.isClosed) return;
    this.last = this.unknown;
    if (this.isFailing) return;
    this.isFailing = true;
    const { currentTasks } = this.unknown;
    this.log.warn(
      { event: 'load_unknown', reason, currentTasks },
      'cannot read the load; the worker counts as full',
    );
  }
}
