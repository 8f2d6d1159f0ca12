import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBatchTrace } from './batch-trace';
import { TraceError } from './csv-table';
import { readOutcomes } from './outcome-trace';

describe('traces with run times', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foresail-outcomes-'));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  const file = async (...lines: string[]): Promise<string> => {
    const path = join(folder, `${Math.random()}.csv`);
    await writeFile(path, lines.join('\n'));
    return path;
  };

  it('takes every other column for what is known of a task', async () => {
    const path = await file(
      'arrival_s,model,user,steps,note,exec_s',
      '0,m,62,30,a b,32',
      '4,n,7,,,1.5',
    );

    expect(await readOutcomes(path)).toEqual([
      {
        row: 1,
        arrivalSeconds: 0,
        model: 'm',
        metadata: { user: '62', steps: 30, note: 'a b' },
        serviceSeconds: 32,
      },
      { row: 2, arrivalSeconds: 4, model: 'n', metadata: { user: '7' }, serviceSeconds: 1.5 },
    ]);
  });

  it('does without a model, and knows the names that batch systems use', async () => {
    const path = await file('submit_s,run_s,nodes', '0,5,1');

    expect(await readOutcomes(path)).toEqual([
      { row: 1, arrivalSeconds: 0, model: '', metadata: { nodes: 1 }, serviceSeconds: 5 },
    ]);
  });

  it.each([
    [
      'no run time',
      ['arrival_s,model', '0,m'],
      'a column exec_s or run_s or service_s is expected',
    ],
    ['no arrivals', ['exec_s', '1'], 'a column arrival_s or submit_s is expected'],
    ['a run time that is none', ['arrival_s,exec_s', '0,x'], 'line 2, column 2 (exec_s): "x"'],
    ['arrivals that go back', ['arrival_s,exec_s', '5,1', '4,1'], 'line 3, column 1 (arrival_s)'],
    ['nothing', [''], 'the file is empty'],
  ])('refuses a file with %s', async (_, lines, message) => {
    const path = await file(...lines);
    await expect(readOutcomes(path)).rejects.toThrow(TraceError);
    await expect(readOutcomes(path)).rejects.toThrow(message);
  });

  it('reads batch jobs of one host, and says how many span several', async () => {
    const heading = 'submit_s,user,queue,nodes,cpus_per_node,mem_mb,req_time_s,run_s,labels';
    const path = await file(heading, '0,1,q,1,56,0,210000,97225,a|b', '9,1,,2,80,5,,9382,');

    expect(await readBatchTrace(path)).toEqual({
      jobs: [
        {
          submitSeconds: 0,
          user: '1',
          queue: 'q',
          nodes: 1,
          cpusPerNode: 56,
          memoryMb: 0,
          limitSeconds: 210_000,
          runSeconds: 97_225,
          labels: ['a', 'b'],
        },
      ],
      leftOut: 1,
    });
  });
});
