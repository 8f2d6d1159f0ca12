import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TraceError } from './csv-table';
import { readTrace } from './llm-trace';

const HEADING = 'arrival_s,model,input_tokens,output_tokens';

describe('readTrace', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foresail-trace-'));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  const traceOf = async (...lines: string[]): Promise<string> => {
    const path = join(folder, `${lines.length}-${Math.random()}.csv`);
    await writeFile(path, lines.join('\n'));
    return path;
  };

  const faultOf = async (path: string): Promise<string> => {
    const error: unknown = await readTrace(path, 100).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TraceError);
    const { message } = error as TraceError;
    expect(message).toContain(path);
    return message;
  };

  it('reads rows in the order of the file, the limit counting rows', async () => {
    const path = await traceOf(HEADING, '0.0,conv,374,44', '4.3146,code,396,109', '9,conv,1,1', '');

    expect(await readTrace(path, 2)).toEqual([
      { row: 1, arrivalSeconds: 0, model: 'conv', inputTokens: 374, outputTokens: 44 },
      { row: 2, arrivalSeconds: 4.3146, model: 'code', inputTokens: 396, outputTokens: 109 },
    ]);
    expect(await readTrace(path, 100)).toHaveLength(3);
  });

  it('does not look at rows beyond the limit', async () => {
    const path = await traceOf(HEADING, '0,conv,1,1', 'rubbish,conv,1,1');

    expect(await readTrace(path, 1)).toHaveLength(1);
  });

  it('takes columns in any order, further ones, quotes, a byte order mark and Windows line ends', async () => {
    const path = await traceOf(
      '\uFEFFmodel,user,output_tokens,arrival_s,input_tokens\r',
      '"a,b",u,2,1e1,3\r',
    );

    expect(await readTrace(path, 100)).toEqual([
      { row: 1, arrivalSeconds: 10, model: 'a,b', inputTokens: 3, outputTokens: 2 },
    ]);
  });

  it('names line and column of each wrong cell and what it should be', async () => {
    const path = await traceOf(
      HEADING,
      '0,conv,1,1',
      '1,conv,many,-1',
      ',conv,1.5,1',
      '0.5,,1,1e3',
      '0.4,x,1,1',
    );

    const lines = (await faultOf(path)).split('\n').slice(1);

    expect(lines).toEqual([
      'line 3, column 3 (input_tokens): "many" is not a whole number from 0 to 1000000000',
      'line 3, column 4 (output_tokens): "-1" is not a whole number from 0 to 1000000000',
      'line 4, column 1 (arrival_s): "" is not a number from 0 to 1000000000',
      'line 4, column 3 (input_tokens): "1.5" is not a whole number from 0 to 1000000000',
      'line 5, column 1 (arrival_s): 0.5 is before 1 of a row above; arrivals ascend',
      'line 5, column 2 (model): "" is not a name of 1 to 256 characters',
      'line 5, column 4 (output_tokens): "1e3" is not a whole number from 0 to 1000000000',
      'line 6, column 1 (arrival_s): 0.4 is before 1 of a row above; arrivals ascend',
    ]);
  });

  it('stops after ten faults', async () => {
    const path = await traceOf(HEADING, ...Array.from({ length: 50 }, () => 'x,conv,1,1'));

    expect((await faultOf(path)).split('\n')).toHaveLength(11);
  });

  it('says what is expected of a file of another kind', async () => {
    const path = await traceOf('submit_s,user,queue', '0,1,2');

    expect(await faultOf(path)).toContain(
      'line 1: a CSV file with the columns arrival_s, model, input_tokens, output_tokens is ' +
        'expected; arrival_s, model, input_tokens, output_tokens not found in "submit_s,user,queue"',
    );
  });

  it.each([
    ['nothing at all', [''], 'the file is empty'],
    ['only a heading', [HEADING], 'a heading and no rows'],
    ['a column twice', [`${HEADING},model`, '0,a,1,1,b'], 'line 1: the column model stands there'],
    ['a row that is too short', [HEADING, '0,conv,1,1', '1,conv'], 'line 3'],
    ['a quote that stays open', [HEADING, '0,"conv,1,1'], 'line 2'],
  ])('refuses a file with %s', async (_, lines, message) => {
    expect(await faultOf(await traceOf(...lines))).toContain(message);
  });

  it('names a file that is not there', async () => {
    expect(await faultOf(join(folder, 'absent.csv'))).toContain('ENOENT');
  });
});
