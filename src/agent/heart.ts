import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { InputError } from '../config/input-error';
import type { Clock, Random } from '../core/ports';
import type { SchedulerAnswer } from '../outgoing/scheduler-connection';
import type { Beat } from './beat';

/** Each pause is up to so much shorter or longer: many agents must not beat in step. */
const JITTER = 0.1;

/** How a heart beats. */
export interface HeartParts {
  readonly beat: Beat;
  /** From the beginning of one heartbeat to that of the next, ms. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Beats until it is told to stop, whatever the scheduler does, and then says goodbye. */
export class Heart {
  private readonly stopping = new AbortController();
  private state: SchedulerAnswer['kind'] | null = null;
  private wasHeard = false;

  constructor(private readonly parts: HeartParts) {}

  /**
   * Resolves when it was told to stop and has said goodbye.
   * @throws {InputError} when the scheduler refuses the first heartbeat that reaches it: a repeat cannot help
   */
  async run(): Promise<void> {
    const { beat, clock } = this.parts;
    while (!this.stopping.signal.aborted) {
      const begun = clock.now();
      this.note(await beat.send());
      await this.pause(begun + this.nextInMs() - clock.now());
    }
    await this.sayGoodbye();
  }

  /** Beats no more, but for the goodbye. */
  stop(): void {
    this.stopping.abort();
    this.parts.beat.hurry();
  }

  /** Time from the beginning of one heartbeat to that of the next, ms. */
  nextInMs(): number {
    const { intervalMs, random } = this.parts;
    return Math.round(intervalMs * (1 - JITTER + 2 * JITTER * random.next()));
  }

  private async pause(ms: number): Promise<void> {
    // Rejects only when it is cut short by stop().
    await sleep(Math.max(0, ms), undefined, { signal: this.stopping.signal }).catch(
      () => undefined,
    );
  }

  /** One line when something has changed, and none as long as it stays so. */
  private note(answer: SchedulerAnswer): void {
    const { log, beat } = this.parts;
    if (answer.kind === 'refused' && !this.wasHeard) throw refusalOf(beat.name, answer);
    if (answer.kind === this.state) return;
    const isBack = this.wasHeard;
    this.state = answer.kind;
    switch (answer.kind) {
      case 'answered':
        this.wasHeard = true;
        if (isBack) log.info({ event: 'scheduler_back' }, 'the scheduler answers again');
        else log.info({ event: 'joined', id: beat.name }, 'the scheduler knows of it');
        return;
      case 'unavailable':
        log.warn({ event: 'scheduler_away', reason: answer.message }, 'no answer; repeating');
        return;
      case 'refused':
        log.error({ event: 'refused', reason: reasonOf(answer) }, 'refused; repeating');
    }
  }

  private async sayGoodbye(): Promise<void> {
    const { beat, log } = this.parts;
    const answer = await beat.leave();
    if (answer === null || answer.kind === 'answered') {
      log.info({ event: 'left' }, 'stopped');
      return;
    }
    log.warn({ event: 'left', reason: answer.message }, 'stopped; the goodbye was not heard');
  }
}

type Refused = Extract<SchedulerAnswer, { kind: 'refused' }>;

function refusalOf(name: string, answer: Refused): InputError {
  return new InputError(`the scheduler does not take ${name}: ${reasonOf(answer)}`);
}

/** With what to do about it. */
function reasonOf({ httpStatus, message }: Refused): string {
  if (httpStatus !== 401) return message;
  return `${message}\nput a key into FORESAIL_KEY; "foresail keys create" makes one`;
}
