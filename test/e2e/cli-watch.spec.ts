import { stripVTControlCharacters as plain } from 'node:util';
import { CliRun } from '../support/cli-run';
import { FakeApi } from '../support/fake-api';
import { queueAnswer } from '../support/fleet-answers';
import { until } from '../support/until';

// Every test starts processes, on a machine that has other things to do.
jest.setTimeout(90_000);

const PATIENCE_MS = 60_000;
const CTRL_C = '\u0003';

describe('--watch', () => {
  let api: FakeApi;
  let waiting: number;
  let run: CliRun | null = null;

  beforeEach(async () => {
    waiting = 1;
    api = await FakeApi.start(() => ({ body: { queues: [queueAnswer({ waiting })] } }));
  });

  afterEach(async () => {
    // A test that failed has not ended what it watches.
    run?.child.kill('SIGKILL');
    await run?.end;
    await api.goDown();
  });

  const written = (what: string | RegExp): Promise<void> => {
    const isThere = (): boolean => {
      const text = run === null ? '' : plain(run.out + run.err);
      return typeof what === 'string' ? text.includes(what) : what.test(text);
    };
    return until(isThere, `the output of ${String(what)}`, PATIENCE_MS);
  };

  it('gives a pipe one line of JSON per look, through an absence of the scheduler', async () => {
    run = CliRun.start(['queues', '--watch', '0.1', '--url', api.url]);
    await until(() => (run?.out ?? '').split('\n').length > 3, 'three looks', PATIENCE_MS);
    await api.goDown();
    await written('the scheduler is away: cannot reach the scheduler at http');
    waiting = 2;
    await api.comeUp();
    await written('"waiting":2');
    run.child.kill('SIGINT');
    const { code, out, err } = await run.end;

    expect(code).toBe(0);
    for (const line of out.trim().split('\n')) {
      expect(JSON.parse(line)).toMatchObject([{ model: 'm' }]);
    }
    expect(err).toMatch(
      /^the scheduler is away: .*\(connection refused\)\nthe scheduler is back\n$/,
    );
  });

  it('redraws a terminal, says when the scheduler is away, and ends with Ctrl-C', async () => {
    run = CliRun.onTerminal(['queues', '--watch', '0.1', '--url', api.url]);
    await written(/every 0\.1 s; Ctrl-C ends\s+MODEL +STRATEGY[^]*\sm +earliest +1 +3 /);
    await api.goDown();
    await written(/the scheduler is away since .*\(connection refused\); looking again/);
    waiting = 2;
    await api.comeUp();
    await written(/\sm +earliest +2 +3 /);
    run.type(CTRL_C);
    const { code, out } = await run.end;

    expect(code).toBe(0);
    expect(out).toContain('\u001b[?1049h');
    expect(out.trimEnd().endsWith('\u001b[?1049l')).toBe(true);
  });

  it('ends with an error that a later look would meet again', async () => {
    api.answer = () => ({ status: 401, body: { detail: 'no such key' } });
    const { code, err } = await CliRun.start(['queues', '--watch', '--url', api.url]).end;

    expect(code).toBe(1);
    expect(err).toContain('FORESAIL_KEY');
  });
});

describe('a terminal', () => {
  it('gets a table without being asked to', async () => {
    const api = await FakeApi.start(() => ({ body: { queues: [queueAnswer()] } }));
    const { code, out } = await CliRun.onTerminal(['queues', '--url', api.url]).end;
    await api.goDown();

    expect(code).toBe(0);
    expect(plain(out)).toMatch(/^MODEL +STRATEGY .*\r\nm +earliest /);
  });
});
