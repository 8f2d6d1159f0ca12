import { createHash } from 'node:crypto';
import type { EngineOutcome, EngineTask } from '../engine';
import { SimulatedEngine } from './simulated.engine';
import type { JsonObject } from '../../http/dto-fields';

/** Fast enough that no test waits. */
const FAST = { speed: 1, timeScale: 1e9, seed: 7 };

const task = (id: string, metadata: JsonObject, input: JsonObject = {}): EngineTask => ({
  id,
  dispatchId: null,
  model: 'm',
  input,
  metadata,
});

async function resultOf(engine: SimulatedEngine, of: EngineTask): Promise<JsonObject> {
  const outcome = await engine.run(of, new AbortController().signal);
  if (!outcome.ok) throw new Error(outcome.error);
  return outcome.result;
}

async function serviceMs(engine: SimulatedEngine, of: EngineTask): Promise<number> {
  return Number((await resultOf(engine, of))['service_ms']);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('SimulatedEngine', () => {
  it('takes the service time from the metadata, divided by its speed, without noise', async () => {
    const engine = new SimulatedEngine({ ...FAST, speed: 4 });

    expect(await serviceMs(engine, task('a', { service_ms: 200 }))).toBe(50);
  });

  it('scatters the token formula around its mean by about a tenth', async () => {
    const engine = new SimulatedEngine(FAST);
    const times: number[] = [];
    for (let n = 0; n < 2000; n += 1) {
      times.push(await serviceMs(engine, task(`t${n}`, { input_tokens: 400, output_tokens: 36 })));
    }
    const relative = times.map((time) => time / 1030);
    const mean = relative.reduce((sum, x) => sum + x, 0) / relative.length;
    const logs = relative.map(Math.log);
    const logMean = logs.reduce((sum, x) => sum + x, 0) / logs.length;
    const sigma = Math.sqrt(logs.reduce((sum, x) => sum + (x - logMean) ** 2, 0) / logs.length);

    expect(mean).toBeGreaterThan(0.99);
    expect(mean).toBeLessThan(1.01);
    expect(sigma).toBeGreaterThan(0.09);
    expect(sigma).toBeLessThan(0.11);
  });

  it('gives the same time to the same seed and task in any order, another to another', async () => {
    const forth = new SimulatedEngine(FAST);
    const back = new SimulatedEngine(FAST);
    const other = new SimulatedEngine({ ...FAST, seed: 8 });
    const a = await serviceMs(forth, task('a', { output_tokens: 10 }));
    const b = await serviceMs(forth, task('b', { output_tokens: 10 }));

    expect(await serviceMs(back, task('b', { output_tokens: 10 }))).toBe(b);
    expect(await serviceMs(back, task('a', { output_tokens: 10 }))).toBe(a);
    expect(b).not.toBe(a);
    expect(await serviceMs(other, task('a', { output_tokens: 10 }))).not.toBe(a);
  });

  it('counts missing tokens as none', () => {
    const engine = new SimulatedEngine({ ...FAST, timeScale: 1 });

    expect(engine.estimate(task('a', {}))).toEqual({ expectedMs: 30, errorMs: 3 });
  });

  it('sleeps the service time divided by the time scale', async () => {
    const engine = new SimulatedEngine({ ...FAST, timeScale: 100 });
    const started = performance.now();
    await resultOf(engine, task('a', { service_ms: 3000 }));
    const elapsed = performance.now() - started;

    expect(elapsed).toBeGreaterThan(28);
    expect(elapsed).toBeLessThan(1000);
  });

  it('estimates in real milliseconds, exactly where the time is given', () => {
    const engine = new SimulatedEngine({ speed: 2, timeScale: 10, seed: 1 });

    expect(engine.estimate(task('a', { service_ms: 400 }))).toEqual({
      expectedMs: 20,
      errorMs: 0,
    });
  });

  it('answers with a digest that does not depend on key order, and echoes a small input', async () => {
    const engine = new SimulatedEngine(FAST);
    const result = await resultOf(engine, task('a', { service_ms: 1 }, { b: 1, a: [2] }));

    expect(result).toEqual({
      output: { b: 1, a: [2] },
      input_sha256: sha256('{"a":[2],"b":1}'),
      engine: 'simulated',
      service_ms: 1,
    });
  });

  it('answers with the digest alone where the input is large', async () => {
    const engine = new SimulatedEngine(FAST);
    const input = { text: 'x'.repeat(2000) };
    const result = await resultOf(engine, task('a', { service_ms: 1 }, input));

    expect(result).not.toHaveProperty('output');
    expect(result['input_sha256']).toBe(sha256(JSON.stringify(input)));
  });

  it.each<[string, JsonObject, string]>([
    ['asked to', { service_ms: 1, fail: 'out of memory' }, 'out of memory'],
    ['a negative time', { service_ms: -1 }, 'metadata.service_ms is -1'],
    ['a wrong type', { output_tokens: 'many' }, 'metadata.output_tokens is "many"'],
    ['a sleep beyond a timer', { service_ms: 1e20 }, 'longer than'],
  ])('fails with a message: %s', async (_name, metadata, message) => {
    const engine = new SimulatedEngine({ ...FAST, timeScale: 1000 });
    const outcome: EngineOutcome = await engine.run(
      task('a', metadata),
      new AbortController().signal,
    );

    expect(outcome).toEqual({ ok: false, error: expect.stringContaining(message) });
  });

  it('gives up when told to', async () => {
    const engine = new SimulatedEngine({ ...FAST, timeScale: 1 });
    const controller = new AbortController();
    const run = engine.run(task('a', { service_ms: 60_000 }), controller.signal);
    controller.abort();

    await expect(run).rejects.toThrow('aborted');
  });
});
