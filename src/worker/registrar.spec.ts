import { WatchedClock } from '../../test/support/fake-clock';
import { until } from '../../test/support/until';
import { keptLog, settled } from '../../test/support/worker-fakes';
import { Registrar, type RegistrationDesk } from './registrar';
import type { Registration, SchedulerReply } from './scheduler-client';

const accepted: SchedulerReply = { kind: 'accepted' };
const away: SchedulerReply = { kind: 'unavailable', message: 'standby', retryAfterMs: 0 };
const unreachable: SchedulerReply = { kind: 'rejected', message: 'instance is unreachable' };

class Desk implements RegistrationDesk {
  readonly calls: string[] = [];
  answer: () => SchedulerReply = () => accepted;

  async register({ model_name: model }: Registration): Promise<SchedulerReply> {
    this.calls.push(`register ${model}`);
    await settled();
    return this.answer();
  }

  async remove(host: string, port: number): Promise<SchedulerReply> {
    this.calls.push(`remove ${host}:${port}`);
    await settled();
    return this.answer();
  }
}

/** A registrar that does not leave would try for ever. */
const staying: Registrar[] = [];

afterEach(async () => {
  for (const registrar of staying.splice(0)) await registrar.leave();
});

function setUp(silenceMs = 20) {
  const desk = new Desk();
  const clock = new WatchedClock();
  const { log, events } = keptLog();
  const registration = { host: 'h', port: 1, model_name: 'm' };
  const at = (): Registration => registration;
  const registrar = new Registrar(desk, at, clock, { next: () => 0 }, log, silenceMs);
  staying.push(registrar);
  return { desk, clock, events, registrar, registration };
}

describe('Registrar', () => {
  it('tries until it is accepted, and complains once per reason', async () => {
    const { desk, events, registrar } = setUp();
    desk.answer = () => away;
    registrar.register();
    await until(() => desk.calls.length >= 3, 'repeats');
    desk.answer = () => unreachable;
    const before = desk.calls.length;
    await until(() => desk.calls.length >= before + 2, 'more repeats');
    desk.answer = () => accepted;
    await until(() => events().includes('registered'), 'registered');

    expect(events()).toEqual(['registration_failed', 'registration_failed', 'registered']);
  });

  it('registers again when the scheduler is silent, not while it asks', async () => {
    const { desk, clock, events, registrar } = setUp();
    registrar.register();
    await until(() => events().includes('registered'), 'registered');
    clock.advance(19);
    registrar.contact();
    clock.advance(19);
    const { reads } = clock;
    await until(() => clock.reads >= reads + 3, 'looks at the clock');
    expect(desk.calls).toHaveLength(1);

    clock.advance(1);
    await until(() => desk.calls.length === 2, 'a second registration');
  });

  it('registers again on doubt, unless it has only just been accepted', async () => {
    const { desk, clock, events, registrar } = setUp(10_000);
    registrar.register();
    await until(() => events().includes('registered'), 'registered');
    registrar.doubt();
    await settled();
    expect(desk.calls).toHaveLength(1);
    clock.advance(10_000);
    registrar.doubt();
    await until(() => desk.calls.length === 2, 'a second registration');
  });

  it('tells of a change that came while a registration was under way', async () => {
    const { desk, registrar, registration } = setUp();
    registrar.register();
    registration.model_name = 'other';
    registrar.register();
    await until(() => desk.calls.length === 2, 'a second registration');

    expect(desk.calls).toEqual(['register m', 'register other']);
  });

  it('leaves after a registration that is under way, and registers no more', async () => {
    const { desk, registrar } = setUp();
    registrar.register();
    await registrar.leave();
    registrar.register();
    await settled();

    expect(desk.calls).toEqual(['register m', 'remove h:1']);
  });

  it('leaves in the middle of its repeats, and gives up on a scheduler that is away', async () => {
    const { desk, registrar } = setUp();
    desk.answer = () => away;
    registrar.register();
    await until(() => desk.calls.length >= 2, 'repeats');
    await registrar.leave();

    expect(desk.calls.filter((call) => call.startsWith('remove'))).toHaveLength(3);
  });
});
