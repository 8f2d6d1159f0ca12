import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Clock, Random } from '../core/ports';
import type { Instant } from '../core/units';
import { backoffMs } from './backoff';
import type { Registration, SchedulerReply } from './scheduler-client';

/** Where a worker makes itself known. */
export interface RegistrationDesk {
  register(registration: Registration): Promise<SchedulerReply>;
  remove(host: string, port: number): Promise<SchedulerReply>;
}

/**
 * Five missed polls of 3 s: a scheduler that knows this worker asks more often, so one that
 * is silent for so long has lost it (a new database, a removal that was not meant for it).
 */
const SILENCE_MS = 15_000;
const REMOVE_TRIES = 3;

/** Keeps this worker known to the scheduler, from the start until it leaves. */
export class Registrar {
  private readonly stopping = new AbortController();
  private loop: Promise<void> | null = null;
  /** Asked for once more while a registration was under way. */
  private again = false;
  private lastAccepted: Instant;
  private lastContact: Instant;
  private silenceTimer: NodeJS.Timeout | null = null;
  private lastReason = '';

  /** @param registration asked for at each try: the model may have changed meanwhile. */
  constructor(
    private readonly desk: RegistrationDesk,
    private readonly registration: () => Registration,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly log: Logger,
    private readonly silenceMs = SILENCE_MS,
  ) {
    this.lastContact = clock.now();
    this.lastAccepted = this.lastContact;
  }

  /** Registers, now or as soon as the scheduler takes it. Registering twice is harmless. */
  register(): void {
    if (this.stopping.signal.aborted) return;
    if (this.loop !== null) {
      this.again = true;
      return;
    }
    this.again = false;
    this.loop = this.untilAccepted().finally(() => {
      this.loop = null;
      if (this.again) this.register();
    });
  }

  /** The scheduler said that it does not know something of this worker's: perhaps the worker itself. */
  doubt(): void {
    if (this.clock.now() - this.lastAccepted >= this.silenceMs) this.register();
  }

  /** The scheduler has been heard of: by a call that nobody else makes. */
  contact(): void {
    this.lastContact = this.clock.now();
  }

  /** Stops registering and asks the scheduler to send nothing more; gives up after three tries. */
  async leave(): Promise<void> {
    this.stopping.abort();
    if (this.silenceTimer !== null) clearTimeout(this.silenceTimer);
    // A registration under way could otherwise arrive after the removal.
    await this.loop;
    const { host, port } = this.registration();
    for (let tries = 1; tries <= REMOVE_TRIES; tries += 1) {
      const reply = await this.desk.remove(host, port);
      if (reply.kind === 'accepted') {
        this.log.info({ event: 'removed' }, 'the scheduler sends no more work');
        return;
      }
      this.log.warn({ event: 'remove_failed', reason: reply.message }, 'cannot deregister');
      if (reply.kind !== 'unavailable') return;
      if (tries < REMOVE_TRIES) await sleep(backoffMs(tries, this.random));
    }
  }

  private async untilAccepted(): Promise<void> {
    let failures = 0;
    while (!this.stopping.signal.aborted) {
      const reply = await this.desk.register(this.registration());
      if (reply.kind === 'accepted') {
        this.accepted();
        return;
      }
      failures += 1;
      this.complain(reply.message);
      await this.pause(
        backoffMs(failures, this.random, reply.kind === 'unavailable' ? reply.retryAfterMs : 0),
      );
    }
  }

  private accepted(): void {
    this.lastReason = '';
    this.contact();
    this.lastAccepted = this.lastContact;
    this.watchSilence(this.silenceMs);
    this.log.info({ event: 'registered', ...this.registration() }, 'registered');
  }

  /** One line per reason, not per try. */
  private complain(reason: string): void {
    if (reason === this.lastReason) return;
    this.lastReason = reason;
    this.log.warn({ event: 'registration_failed', reason }, 'cannot register; repeating');
  }

  private watchSilence(delayMs: number): void {
    if (this.silenceTimer !== null) clearTimeout(this.silenceTimer);
    if (this.stopping.signal.aborted) return;
    this.silenceTimer = setTimeout(() => {
      const silent = this.clock.now() - this.lastContact;
      if (silent < this.silenceMs) {
        this.watchSilence(this.silenceMs - silent);
        return;
      }
      this.log.warn({ event: 'scheduler_silent', silentMs: silent }, 'registering again');
      this.register();
    }, delayMs);
  }

  private async pause(ms: number): Promise<void> {
    // Rejects only when it is cut short by leave().
    await sleep(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
