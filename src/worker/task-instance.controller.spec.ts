import { WatchedClock } from '../../test/support/fake-clock';
import { until } from '../../test/support/until';
import { keptLog, ManualEngine, settled } from '../../test/support/worker-fakes';
import { EnqueueDto } from './dto/task-instance.dto';
import { Registrar } from './registrar';
import { Reporter } from './reporter';
import { SchedulerClient, type SchedulerReply } from './scheduler-client';
import { TaskInstanceController } from './task-instance.controller';
import { TaskRunner } from './task-runner';
import { WorkerIdentity } from './worker-identity';

const SILENCE_MS = 20;
const TASK = Object.assign(new EnqueueDto(), { input_data: {}, metadata: {} });
const accepted = (): Promise<SchedulerReply> => Promise.resolve({ kind: 'accepted' });

function setUp() {
  const clock = new WatchedClock();
  const { log, events } = keptLog();
  const random = { next: () => 0 };
  const identity = new WorkerIdentity({ host: 'h', port: 1, model_name: 'm' });
  let registrations = 0;
  const desk = {
    register: () => {
      registrations += 1;
      return accepted();
    },
    remove: accepted,
  };
  const registration = () => identity.registration;
  const registrar = new Registrar(desk, registration, clock, random, log, SILENCE_MS);
  const client = new SchedulerClient('http://127.0.0.1:1');
  const link = {
    client,
    registrar,
    reporter: new Reporter(client, clock, random, log, () => undefined),
  };
  const engine = new ManualEngine();
  const ledgerFailed = (): void => undefined;
  const parts = { identity, engine, clock, log, ledger: null, reports: null, ledgerFailed };
  const controller = new TaskInstanceController(new TaskRunner(parts, 1), identity, link, clock);
  return { clock, events, registrar, controller, registrations: () => registrations, client };
}

describe('TaskInstanceController', () => {
  let rig: ReturnType<typeof setUp>;

  beforeEach(async () => {
    rig = setUp();
    rig.registrar.register();
    await until(() => rig.events().includes('registered'), 'registered');
  });

  afterEach(async () => {
    await rig.registrar.leave();
    await rig.client.close();
  });

  it('does not take a question for its status for a word of the scheduler', async () => {
    rig.clock.advance(SILENCE_MS);
    rig.controller.status();

    await until(() => rig.registrations() === 2, 'a second registration');
  });

  it.each<[string, (controller: TaskInstanceController) => void]>([
    ['a question for its wait', (controller) => controller.predict()],
    ['a task', (controller) => controller.enqueue(TASK)],
  ])('takes %s for one', async (_, call) => {
    rig.clock.advance(SILENCE_MS);
    call(rig.controller);
    const { reads } = rig.clock;
    await until(() => rig.clock.reads >= reads + 2, 'looks at the clock');
    await settled();

    expect(rig.registrations()).toBe(1);
  });
});
