import { FakeClock } from '../../test/support/fake-clock';
import { until } from '../../test/support/until';
import { keptLog, settled } from '../../test/support/worker-fakes';
import { InputError } from '../config/input-error';
import type { SchedulerAnswer } from '../outgoing/scheduler-connection';
import type { Beat } from './beat';
import { Heart } from './heart';

const TAKEN: SchedulerAnswer = { kind: 'answered', status: 'ok', message: '' };
const AWAY: SchedulerAnswer = { kind: 'unavailable', message: 'nobody', retryAfterMs: 0 };
const refused = (httpStatus: number): SchedulerAnswer => {
  return { kind: 'refused', httpStatus, message: 'worker_id must be printable' };
};

/** Answers in turn, the last answer for ever. */
class ScriptedBeat implements Beat {
  readonly name = 'w';
  readonly answers: SchedulerAnswer[] = [TAKEN];
  goodbye: SchedulerAnswer | null = TAKEN;
  sent = 0;
  left = 0;
  hurried = 0;

  async send(): Promise<SchedulerAnswer> {
    this.sent += 1;
    await settled();
    const [next = TAKEN] = this.answers.length > 1 ? this.answers.splice(0, 1) : this.answers;
    return next;
  }

  leave(): Promise<SchedulerAnswer | null> {
    this.left += 1;
    return Promise.resolve(this.goodbye);
  }

  hurry(): void {
    this.hurried += 1;
  }
}

function setUp(...answers: SchedulerAnswer[]) {
  const beat = new ScriptedBeat();
  if (answers.length > 0) beat.answers.splice(0, 1, ...answers);
  const { log, events } = keptLog();
  const clock = new FakeClock();
  const heart = new Heart({ beat, intervalMs: 1, clock, random: { next: () => 0.5 }, log });
  return { beat, events, heart };
}

describe('Heart', () => {
  it('beats until it is told to stop, and then says goodbye once', async () => {
    const { beat, events, heart } = setUp();
    const life = heart.run();
    await until(() => beat.sent >= 3, 'three heartbeats');
    heart.stop();
    await life;
    expect([beat.left, beat.hurried]).toEqual([1, 1]);
    expect(events()).toEqual(['joined', 'left']);
  });

  it('says once that the scheduler is away, and once that it is back', async () => {
    const { beat, events, heart } = setUp(AWAY, AWAY, TAKEN, TAKEN, AWAY, AWAY, AWAY, TAKEN);
    const life = heart.run();
    await until(() => beat.sent >= 9, 'the scheduler to be back');
    heart.stop();
    await life;
    const all = ['scheduler_away', 'joined', 'scheduler_away', 'scheduler_back', 'left'];
    expect(events()).toEqual(all);
  });

  it.each([
    [400, 'the scheduler does not take w: worker_id must be printable'],
    [401, 'FORESAIL_KEY'],
  ])('gives up when the first heartbeat that arrives is refused with %i', async (status, said) => {
    const { beat, heart } = setUp(AWAY, refused(status));
    const life = heart.run();
    await expect(life).rejects.toThrow(InputError);
    await expect(life).rejects.toThrow(said);
    expect([beat.sent, beat.left]).toEqual([2, 0]);
  });

  it('goes on when it was taken before', async () => {
    const { beat, events, heart } = setUp(TAKEN, refused(401), refused(401), TAKEN);
    const life = heart.run();
    await until(() => beat.sent >= 5, 'heartbeats after the refusal');
    heart.stop();
    await life;
    expect(events()).toEqual(['joined', 'refused', 'scheduler_back', 'left']);
  });

  it.each([AWAY, null])('ends also when the goodbye is not heard: %j', async (goodbye) => {
    const { beat, events, heart } = setUp();
    beat.goodbye = goodbye;
    const life = heart.run();
    heart.stop();
    await life;
    expect(events().at(-1)).toBe('left');
  });

  it('keeps its time, up to a tenth shorter or longer', () => {
    const pauses = [0, 0.5, 1].map((chance) => {
      const { beat } = setUp();
      const random = { next: () => chance };
      const parts = { beat, intervalMs: 3_000, clock: new FakeClock(), random, log: keptLog().log };
      return new Heart(parts).nextInMs();
    });
    expect(pauses).toEqual([2_700, 3_000, 3_300]);
  });
});
