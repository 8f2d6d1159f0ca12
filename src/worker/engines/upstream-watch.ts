import type { Logger } from 'pino';

/** How often the upstream is looked at, ms. */
export interface WatchIntervals {
  readonly whileUpMs: number;
  readonly whileDownMs: number;
}

const DEFAULT_INTERVALS: WatchIntervals = { whileUpMs: 5000, whileDownMs: 1000 };

/** Knows whether the upstream takes work: asks it now and then, and at once when a call failed. */
export class UpstreamWatch {
  private reason: string | null = 'it has not been asked yet';
  private looking: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private closed = false;
  private readonly waiters = new Set<() => void>();

  /** @param probe why the upstream would take no work; null when it would. Never rejects. */
  constructor(
    private readonly probe: () => Promise<string | null>,
    private readonly log: Logger,
    private readonly intervals: WatchIntervals = DEFAULT_INTERVALS,
  ) {}

  /** Why the upstream takes no work; null when it does, as far as is known. */
  get outage(): string | null {
    return this.reason;
  }

  /** A call found nobody there: so it is, until a look says otherwise. */
  isDown(reason: string): void {
    this.learn(reason);
    this.lookAfter(this.intervals.whileDownMs);
  }

  /** Asks the upstream now. Several at a time share one look. */
  look(): Promise<void> {
    this.looking ??= this.lookOnce().finally(() => (this.looking = null));
    return this.looking;
  }

  /** Resolves when there is no outage. @throws {Error} when it was aborted before */
  async untilUp(signal: AbortSignal): Promise<void> {
    while (this.reason !== null) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.waiters.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.waiters.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
  }

  /** Looks no more. */
  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private async lookOnce(): Promise<void> {
    const reason = await this.probe();
    if (this.closed) return;
    this.learn(reason);
    const { whileUpMs, whileDownMs } = this.intervals;
    this.lookAfter(reason === null ? whileUpMs : whileDownMs);
  }

  private lookAfter(ms: number): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = this.closed ? null : setTimeout(() => void this.look(), ms);
  }

  /** One line per change, not per look. */
  private learn(reason: string | null): void {
    const before = this.reason;
    this.reason = reason;
    if (reason === before) return;
    if (reason !== null) {
      this.log.warn({ event: 'upstream_down', reason }, 'the upstream takes no work');
      return;
    }
    this.log.info({ event: 'upstream_up' }, 'the upstream takes work');
    for (const wake of this.waiters) wake();
  }
}
