import type { FinishedTask } from '../persistence/history.repository';
import { traceLines } from './trace-lines';

async function linesOf(
  names: readonly string[],
  tasks: readonly FinishedTask[],
): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of traceLines(names, tasks)) lines.push(line);
  return lines;
}

const task = (changed: Partial<FinishedTask>): FinishedTask => ({
  ...{ submittedMs: 5_000, model: 'm', serviceMs: 1_500, metadata: '{}' },
  ...changed,
});

describe('traceLines', () => {
  it('writes when tasks came after the first, how long they ran, and what was known of them', async () => {
    const lines = await linesOf(
      ['steps', 'user', 'fast'],
      [
        task({ metadata: '{"steps":30,"user":"ann","fast":true}' }),
        task({ submittedMs: 5_250.5, model: 'a, "b"', metadata: '{"user":"two\\nlines"}' }),
      ],
    );

    expect(lines).toEqual([
      'arrival_s,model,service_s,steps,user,fast\n',
      '0.000000,m,1.500000,30,ann,true\n',
      '0.250500,"a, ""b""",1.500000,,"two\nlines",\n',
    ]);
  });

  it('leaves out what a trace calls something else, and what already says the time', async () => {
    const names = ['model', 'run_s', 'predicted_ms', ' padded', '', 'kept'];

    expect(await linesOf(names, [])).toEqual(['arrival_s,model,service_s,kept\n']);
  });

  it('leaves cells empty that no reader takes, and where the metadata is gone', async () => {
    const metadata = JSON.stringify({ a: 'x'.repeat(257), b: [1], c: null });
    const lines = await linesOf(['a', 'b', 'c'], [task({ metadata }), task({ metadata: null })]);

    expect(lines.slice(1)).toEqual(new Array(2).fill('0.000000,m,1.500000,,,\n'));
  });
});
