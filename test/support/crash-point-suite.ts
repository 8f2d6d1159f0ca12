import { CRASH_POINTS } from '../../src/ops/crash-points';
import { report } from './report';
import { Scenario, QUICK } from './scenario';
import { SeededRandom } from './seeded-random';
import { until } from './until';
import { lasting, type LedgerClient, type TestTask } from './ledger-client';

/** How thorough the suite is. */
export interface CrashPointOptions {
  /** Deaths at each point. */
  readonly rounds: number;
}

/** Which pass of a point kills, at most: later ones come when many tasks are under way. */
const LATEST_PASS = 40;
const MODELS = ['reference', 'reporting', 'notifying', 'silent'];

/** A task may be caught by many deaths; here they are no fault of its own. */
const SETTINGS = { ...QUICK, FORESAIL_LOST_MS: '20000', FORESAIL_MAX_ATTEMPTS: '100' };

/**
 * At every named point the process dies as by `kill -9`, several times in a row, under load from a
 * client that repeats itself, with reference workers and with original ones that report, notify, or
 * say nothing. A death may come while the one before it is being recovered. In the end ledgers and
 * database must agree (RELIABILITY_MODEL, sections 5 and 11).
 */
export function crashPointSuite({ rounds }: CrashPointOptions): void {
  const seed = Number(process.env['FORESAIL_TEST_SEED'] ?? Date.now() % 1_000_000);

  describe(`a death at a crash point (FORESAIL_TEST_SEED=${seed})`, () => {
    const random = new SeededRandom(seed);
    let scenario: Scenario;

    jest.setTimeout(60_000 + rounds * 20_000);

    beforeAll(async () => {
      scenario = await Scenario.begin({ env: SETTINGS });
      const service = await scenario.serve();
      await scenario.worker('reference', 'reference', '--replicas', '3', '--log-level', 'warn');
      await scenario.original({ model: 'reporting', reporting: 'result', replicas: 2 });
      await scenario.original({ model: 'notifying', reporting: 'bare', replicas: 2 });
      await scenario.original({ model: 'silent', reporting: 'never', replicas: 2 });
      await scenario.registered(MODELS.length);
      await service.stop();
    });

    afterAll(() => scenario.close());

    it.each(CRASH_POINTS)(`loses nothing and records nothing twice at %s`, async (point) => {
      const client = await scenario.client();
      let isOver = false;
      const passes = Array.from({ length: rounds }, (_, round) =>
        round === 0 ? 1 : 2 + Math.floor(random.next() * (LATEST_PASS - 1)),
      );
      const load = client.submitAll({
        make: (n) => (isOver ? null : taskOf(`${point}-${n}`, random)),
        concurrency: 8,
        restMs: 60,
      });
      for (const pass of passes) {
        const service = await scenario.serve({ FORESAIL_CRASH_AT: `${point}#${pass}` });
        await until(() => service.hasEnded, `a death at ${point}#${pass}`, 20_000);
        expect(service.child.signalCode).toBe('SIGKILL');
      }
      const last = await scenario.serve();
      isOver = true;
      await load;
      await scenario.settled();
      const { faults, ...figures } = await scenario.verdict();
      report(`${point}#${passes.join(',')}`, figures);
      expect(faults).toEqual([]);
      expectManners(client);
      await last.stop();
    });
  });
}

/** Nobody was ever told anything but "yes" and "not now". */
function expectManners(client: LedgerClient): void {
  expect(client.surprises).toEqual([]);
  expect(client.without).toEqual([]);
}

function taskOf(taskId: string, random: SeededRandom): TestTask {
  const model = MODELS[Math.floor(random.next() * MODELS.length)] ?? 'reference';
  const serviceMs = Math.round(5 + random.next() * 150);
  return { taskId, model, input: { taskId, serviceMs }, metadata: lasting(serviceMs) };
}
