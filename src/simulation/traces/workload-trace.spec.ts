import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokenServiceMs } from '../../ops/token-service';
import { readWorkload } from './workload-trace';

describe('readWorkload', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foresail-workload-'));
  });

  afterAll(() => rm(folder, { recursive: true }));

  const file = async (...lines: string[]): Promise<string> => {
    const path = join(folder, 'trace.csv');
    await writeFile(path, lines.join('\n'));
    return path;
  };

  it('takes recorded times as they are, whatever the seed, and the rest for what is known', async () => {
    const path = await file('arrival_s,model,service_s,steps', '1,m,2.5,30', '2,n,4,7');
    const { size, known, tasks } = await readWorkload(path, 1);

    expect(size).toBe(1);
    expect(known.has('steps')).toBe(true);
    expect(tasks(1)).toEqual([
      { index: 0, arrivalMs: 1_000, model: 'm', metadata: { steps: 30 }, serviceMs: 2_500 },
    ]);
    expect(tasks(2)).toEqual(tasks(1));
  });

  it('takes the times of model requests from their tokens, with seeded noise', async () => {
    const path = await file('arrival_s,model,input_tokens,output_tokens', '0,m,1000,10');
    const { tasks } = await readWorkload(path, Infinity);
    const [one, other] = [tasks(1)[0]?.serviceMs ?? 0, tasks(2)[0]?.serviceMs ?? 0];

    expect(one).not.toBe(other);
    expect(one / tokenServiceMs(1000, 10)).toBeGreaterThan(0.6);
    expect(one / tokenServiceMs(1000, 10)).toBeLessThan(1.6);
  });

  it('says what is expected of a file that is neither', async () => {
    const path = await file('arrival_s,model', '0,m');

    await expect(readWorkload(path, Infinity)).rejects.toThrow(
      /line 1: .*input_tokens.*\n.*exec_s or run_s or service_s/,
    );
  });
});
