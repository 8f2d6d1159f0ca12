import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { ConformanceRig } from '../support/conformance-rig';
import { PostgresProxy } from '../support/postgres-proxy';
import { PrometheusText, type Sample } from '../support/prometheus-text';
import { until } from '../support/until';

jest.setTimeout(120_000);

const MODEL = 'a "model"\\with,odd{letters}';

let rig: ConformanceRig;
let proxy: PostgresProxy;

beforeAll(async () => {
  rig = await ConformanceRig.start({}, async (url) => {
    proxy = await PostgresProxy.listen(url);
    return proxy.url;
  });
});
afterAll(async () => {
  proxy.admit();
  await rig.close();
  await proxy.close();
});

const read = async (): Promise<PrometheusText> => {
  const { status, headers, body } = await rig.get('/metrics');
  expect([status, headers['content-type']]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return new PrometheusText(body as string);
};

/** Which buckets belong together. */
const seriesOf = ({ labels }: Sample): string => JSON.stringify({ ...labels, le: undefined });

describe('GET /metrics', () => {
  it('is text that Prometheus reads, with the names that it wants', async () => {
    const { families, samples } = await read();
    expect(families.size).toBeGreaterThan(20);
    for (const [name, { type, help }] of families) {
      expect(name).toMatch(/^(?:foresail|process|nodejs)_[a-z_]+$/);
      expect([name, help]).toEqual([name, expect.stringMatching(/\.$/)]);
      expect([name, type]).toEqual([name, expect.stringMatching(/^(?:counter|gauge|histogram)$/)]);
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
    }
    for (const { name, value } of samples)
      expect([name, value]).toEqual([name, expect.any(Number)]);
  });

  it('shows what docs/metrics.md tells of, whose rules use nothing else', async () => {
    const guide = readFileSync(resolve(__dirname, '../../docs/metrics.md'), 'utf8');
    const { families } = await read();
    const told = new Set(guide.match(/`((?:foresail|process|nodejs)_[a-z_]+)`/g));
    expect(told).toEqual(new Set([...families.keys()].map((name) => `\`${name}\``)));
    const used = guide.match(/\bforesail_[a-z_]+/g) ?? [];
    for (const name of used) {
      expect([name, families.has(name.replace(/_bucket$/, ''))]).toEqual([name, true]);
    }
    const blocks = [...guide.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = '']) => block);
    for (const block of blocks) expect(parse(block)).toEqual(expect.any(Object));
  });

  it('counts what was done, and nothing else', async () => {
    const before = await read();
    expect(before.value('foresail_term_epoch')).toBe(1);
    expect(before.value('foresail_database_up')).toBe(1);
    const [instance] = await rig.registered({ model: MODEL, slots: 2 });
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const id of ids) await rig.submit(id, { model_name: MODEL });
    // Two run, and one was sent ahead: an instance like the original's never notifies.
    await until(() => instance.given.length === 3, 'three tasks to be sent');
    instance.finish(instance.given[0]!.remoteId, {});
    await rig.completed('a');
    expect((await rig.post('/v1/tasks/f/cancel', {})).status).toBe(200);
    await until(() => instance.given.length === 4, 'the next task to be sent');
    await rig.rows();
    const isWritten = async (): Promise<boolean> =>
      (await read()).value('foresail_journal_pending_rows') === 0;
    await until(isWritten, 'the journal to have written what may linger');

    const after = await read();
    const queue = { kind: 'model', queue: MODEL };
    const figures = {
      submitted: after.value('foresail_tasks_submitted_total', queue),
      succeeded: after.value('foresail_tasks_ended_total', { ...queue, state: 'succeeded' }),
      cancelled: after.value('foresail_tasks_ended_total', { ...queue, state: 'cancelled' }),
      failed: after.value('foresail_tasks_ended_total', { ...queue, state: 'failed' }),
      queued: after.value('foresail_tasks', { ...queue, state: 'queued' }),
      dispatched: after.value('foresail_tasks', { ...queue, state: 'dispatched' }),
      depth: after.value('foresail_queue_depth', queue),
      slots: after.value('foresail_slots', queue),
      used: after.value('foresail_slots_used', queue),
      waits: after.value('foresail_task_wait_seconds_count', queue),
      services: after.value('foresail_task_service_seconds_count', queue),
      lost: after.value('foresail_attempts_lost_total', queue),
      online: after.value('foresail_instances', { health: 'online' }),
    };
    expect(figures).toEqual({
      submitted: 6,
      succeeded: 1,
      cancelled: 1,
      failed: undefined,
      queued: 1,
      dispatched: 3,
      depth: 1,
      slots: 2,
      used: 2,
      waits: 1,
      services: 1,
      lost: undefined,
      online: 1,
    });
    // By its own word it ran for 1 ms.
    expect(after.value('foresail_task_service_seconds_sum', queue)).toBeCloseTo(0.001);
    expect(after.value('foresail_queue_oldest_seconds', queue)).toBeGreaterThan(0);
    const rows = (text: PrometheusText): number =>
      text.value('foresail_journal_batch_rows_sum') ?? Number.NaN;
    // Of each submission a row of the task and one of its event; of each later step as many or more.
    expect(rows(after) - rows(before)).toBeGreaterThanOrEqual(6 * 2 + 4 * 2);
  });

  it('has buckets that add up', async () => {
    const { samples, families } = await read();
    const histograms = [...families].filter(([, { type }]) => type === 'histogram');
    expect(histograms.length).toBeGreaterThan(3);
    for (const [name] of histograms) {
      const own = samples.filter((sample) => sample.name.startsWith(name));
      const series = new Set(own.map(seriesOf));
      for (const one of series) {
        const of = (suffix: string): number[] =>
          own
            .filter((sample) => sample.name === `${name}${suffix}`)
            .filter((sample) => seriesOf(sample) === one)
            .map(({ value }) => value);
        const buckets = of('_bucket');
        expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
        expect(buckets.at(-1)).toBe(of('_count')[0]);
      }
    }
  });

  it('counts requests by declared route, never by what was asked for', async () => {
    for (const path of ['/v1/tasks/secret-id', '/v1/tasks/other-id', '/no/such/secret-path']) {
      await rig.get(path);
    }
    const text = await read();
    const requests = (labels: Record<string, string>): number | undefined =>
      text.value('foresail_http_requests_total', labels);
    expect(requests({ method: 'GET', route: '/v1/tasks/:id', status: '404' })).toBe(2);
    expect(requests({ method: '(none)', route: '(none)', status: '404' })).toBe(1);
    expect(requests({ method: 'POST', route: '/queue/submit', status: '200' })).toBe(6);
    const told = JSON.stringify(text.samples);
    expect(told).not.toContain('secret');
    const { value } = text.samples.find(
      ({ name, labels }) =>
        name === 'foresail_http_request_duration_seconds_count' &&
        labels['route'] === '/queue/submit',
    )!;
    expect(value).toBe(6);
  });

  it('is read while the database is away, and says so', async () => {
    proxy.refuse();
    const isDown = async (): Promise<boolean> => (await read()).value('foresail_database_up') === 0;
    await until(isDown, 'the figure of the database to be 0');
    proxy.admit();
    const isUp = async (): Promise<boolean> => (await rig.get('/readyz')).status === 200;
    await until(isUp, 'the database to be back', 30_000);
    expect((await read()).value('foresail_database_up')).toBe(1);
  });
});
