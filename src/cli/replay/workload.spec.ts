import { serviceNoise, tokenServiceMs } from '../../ops/token-service';
import { workloadOf, type WorkloadOptions } from './workload';

const rows = [
  { row: 1, arrivalSeconds: 2, model: 'conv', inputTokens: 400, outputTokens: 40 },
  { row: 2, arrivalSeconds: 5, model: 'code', inputTokens: 0, outputTokens: 0 },
];

const options: WorkloadOptions = {
  prefix: 'run',
  speed: 10,
  timeScale: 20,
  predict: true,
  serviceTimes: false,
  seed: 1,
};

const bodies = (changed: Partial<WorkloadOptions> = {}): unknown[] =>
  workloadOf(rows, { ...options, ...changed }).map(({ body }) => JSON.parse(body) as unknown);

describe('workloadOf', () => {
  it('submits each row as recorded, as much faster as asked for', () => {
    const tasks = workloadOf(rows, options);

    expect(tasks).toMatchObject([
      { taskId: 'run-1', row: 1, model: 'conv', dueMs: 0 },
      { taskId: 'run-2', row: 2, model: 'code', dueMs: 300 },
    ]);
  });

  it('sends what the token formula says along, on the time scale of the workers', () => {
    expect(bodies()).toEqual([
      {
        model_name: 'conv',
        task_id: 'run-1',
        task_input: { row: 1 },
        metadata: { input_tokens: 400, output_tokens: 40, row: 1, predicted_ms: 1130 / 20 },
      },
      {
        model_name: 'code',
        task_id: 'run-2',
        task_input: { row: 2 },
        metadata: { input_tokens: 0, output_tokens: 0, row: 2, predicted_ms: 1.5 },
      },
    ]);
  });

  it('leaves the prediction out and overrules the model when asked to', () => {
    expect(bodies({ predict: false, model: 'm' })).toMatchObject([
      { model_name: 'm', metadata: { input_tokens: 400, output_tokens: 40, row: 1 } },
      { model_name: 'm' },
    ]);
    expect(JSON.stringify(bodies({ predict: false }))).not.toContain('predicted_ms');
  });

  it('fixes true service times by seed and row, whatever the time scale', () => {
    const [first] = bodies({ serviceTimes: true, timeScale: 7 });

    expect(first).toMatchObject({ metadata: { service_ms: 1130 * serviceNoise('1/1') } });
    expect(bodies({ serviceTimes: true })).toEqual(bodies({ serviceTimes: true }));
    expect(bodies({ serviceTimes: true })).not.toEqual(bodies({ serviceTimes: true, seed: 2 }));
  });
});

describe('serviceNoise', () => {
  it('has mean 1 and a logarithm with deviation 0.1', () => {
    const noise = Array.from({ length: 20_000 }, (_, row) => serviceNoise(`3/${row}`));
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const squares = noise.map((value) => (Math.log(value) + 0.005) ** 2);
    const deviation = Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / noise.length);

    expect(mean).toBeCloseTo(1, 2);
    expect(deviation).toBeCloseTo(0.1, 2);
  });
});

describe('tokenServiceMs', () => {
  it('is 30 ms and 0.25 ms and 25 ms per token', () => {
    expect(tokenServiceMs(0, 0)).toBe(30);
    expect(tokenServiceMs(1000, 10)).toBe(530);
  });
});
