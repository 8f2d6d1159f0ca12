import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Scenario } from '../support/scenario';
import type { ServiceProcess } from '../support/service-process';
import { TaskDesk } from '../support/task-desk';
import { until } from '../support/until';
import { rowsOf } from '../support/verdict';

jest.setTimeout(90_000);

const CUSTOM = `
module.exports = class {
  name = 'my_own';
  binding = 'late';
  rank({ occupied }) { return occupied; }
};`;

describe('the start of a term', () => {
  let scenario: Scenario;

  beforeEach(async () => (scenario = await Scenario.begin()));
  afterEach(() => scenario.close());

  it('goes on with the default when a strategy that was set is gone, and says so', async () => {
    const file = join(scenario.folder, 'my-own.strategy.js');
    await writeFile(file, CUSTOM);
    let service = await scenario.serve({ FORESAIL_STRATEGY_FILES: file });
    const desk = new TaskDesk(await scenario.client(), () => service);
    for (const model of ['kept', 'lost']) await scenario.original({ model });
    const set = (name: string, model_name?: string): Promise<unknown> =>
      service.post('/scheduler/set', { name, model_name });
    await set('my_own', 'lost');
    await set('weighted', 'kept');
    await set('shortest_queue');
    const strategies = async (): Promise<object> => {
      const { body } = await service.get('/v1/queues');
      const queues = body.queues as { model: string; strategy: string }[];
      return Object.fromEntries(queues.map(({ model, strategy }) => [model, strategy]));
    };
    expect(await strategies()).toEqual({ kept: 'weighted', lost: 'my_own' });

    await service.stop();
    service = await scenario.serve();
    expect(await strategies()).toEqual({ kept: 'weighted', lost: 'shortest_queue' });
    await service.hasLogged(
      /"level":50[^\n]*model \\"lost\\" was set to my_own[^\n]*shortest_queue/,
    );
    await desk.submit({ model: 'lost' });
    await desk.reached('lost', 'succeeded');

    await service.stop();
    service = await scenario.serve({ FORESAIL_STRATEGY_FILES: file });
    expect(await strategies()).toEqual({ kept: 'weighted', lost: 'my_own' });
  });

  it('that fails leaves nothing open, and the next one begins when it can', async () => {
    const { databaseUrl } = scenario;
    const first = await scenario.serve();
    await first.stop();
    await rowsOf(databaseUrl, 'ALTER TABLE strategy_settings RENAME TO hidden');
    const service = await scenario.serve();
    await until(() => failures(service) >= 3, 'three terms that could not begin');
    const connections = async (): Promise<string> => {
      const rows = await rowsOf<{ name: string; count: number }>(
        databaseUrl,
        `SELECT application_name AS name, count(*)::int AS count FROM pg_stat_activity
          WHERE datname = current_database() AND starts_with(application_name, 'foresail')
          GROUP BY 1 ORDER BY 1`,
      );
      return rows.map(({ name, count }) => `${name} ${count}`).join();
    };
    // Between two terms there is only what belongs to the process.
    let seen = '';
    await until(async () => {
      seen = await connections();
      return seen === 'foresail-keys 1,foresail-lease 1';
    }, 'the end of what the terms had opened').catch((error: unknown) => {
      throw new Error(`open are ${seen}`, { cause: error });
    });
    await rowsOf(databaseUrl, 'ALTER TABLE hidden RENAME TO strategy_settings');
    await until(() => service.isLeading, 'a term');
    expect((await service.get('/v1/instances')).status).toBe(200);
  });
});

function failures({ log }: ServiceProcess): number {
  return log.split('the term could not begin').length - 1;
}
