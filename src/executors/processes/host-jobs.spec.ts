import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { isAlive } from '../../../test/support/is-alive';
import { until } from '../../../test/support/until';
import { dispatchId, taskId, type DispatchId } from '../../core/units';
import { HostJobs, type JobLimits, type JobReport, type JobStart } from './host-jobs';
import { HostShell, HostUnreachableError, quoted } from './host-shell';

const ENVIRONMENT = { PATH: process.env['PATH'] ?? '' };
const NO_LIMITS: JobLimits = { openFiles: null, processes: null };

describe.each([
  ['here', []],
  ['through a prefix', ['/bin/sh', '-c']],
])('jobs %s', (_where, prefix) => {
  let folder: string;
  let jobs: HostJobs;
  let count = 0;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'foresail-jobs-'));
    jobs = jobsWith(NO_LIMITS);
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function jobsWith(limits: JobLimits): HostJobs {
    const shell = new HostShell({ prefix, environment: ENVIRONMENT, timeoutMs: 20_000 });
    return new HostJobs(shell, join(folder, 'attempts'), limits);
  }

  function jobOf(command: string, changed: Partial<JobStart> = {}): JobStart {
    const id = dispatchId(`dispatch-${process.pid}-${++count}-${prefix.length}`);
    return {
      taskId: taskId('task-1'),
      dispatchId: id,
      command,
      workdir: join(folder, 'work', id),
      roots: [],
      log: join(folder, 'logs', `${id}.log`),
      env: {},
      ...changed,
    };
  }

  async function report(id: DispatchId): Promise<JobReport> {
    const reports = await jobs.states([id]);
    return reports.get(id)!;
  }

  async function reached(id: DispatchId, kind: JobReport['state']['kind']): Promise<JobReport> {
    await until(async () => (await report(id)).state.kind === kind, `${id} being ${kind}`);
    return report(id);
  }

  const logOf = ({ log }: JobStart): string => readFileSync(log, 'utf8');

  it('run to their end, and leave exit code and output', async () => {
    const job = jobOf('echo out; echo err >&2; pwd; echo "$TASK_ID $TASK_DISPATCH_ID"; exit 7');
    await jobs.start(job);
    expect(await reached(job.dispatchId, 'exited')).toEqual({
      state: { kind: 'exited', code: 7, ranMs: expect.any(Number) },
      left: 0,
      stopped: false,
      paused: false,
    });
    expect(logOf(job)).toBe(`out\nerr\n${job.workdir}\ntask-1 ${job.dispatchId}\n`);
  });

  it('are known in all their states, many at once', async () => {
    const [long, short] = [jobOf('sleep 60'), jobOf('true')];
    await jobs.start(long);
    await jobs.start(short);
    await reached(long.dispatchId, 'running');
    await reached(short.dispatchId, 'exited');
    const nobody = Array.from({ length: 150 }, (_, n) => dispatchId(`nobody-${n}`));
    const reports = await jobs.states([...nobody, long.dispatchId, short.dispatchId]);
    expect(reports.size).toBe(152);
    expect(reports.get(nobody[149]!)?.state).toEqual({ kind: 'absent' });
    expect(reports.get(long.dispatchId)?.state).toEqual({ kind: 'running' });
    await jobs.signal(long.dispatchId, 'KILL');
    expect(await reached(long.dispatchId, 'exited')).toMatchObject({
      state: { code: 137 },
      stopped: true,
    });
  });

  it('start once, however often they are told to', async () => {
    const job = jobOf('echo ran; sleep 0.2');
    await Promise.all([jobs.start(job), jobs.start(job), jobs.start(job)]);
    await reached(job.dispatchId, 'exited');
    await jobs.start(job);
    expect(await report(job.dispatchId)).toMatchObject({ state: { kind: 'exited', code: 0 } });
    expect(logOf(job)).toBe('ran\n');
  });

  it('do not start once they are cancelled, and say when it is too late for that', async () => {
    const [never, late] = [jobOf('echo ran'), jobOf('sleep 60')];
    expect(await jobs.cancel(never.dispatchId)).toBe(true);
    await jobs.start(never);
    await reached(never.dispatchId, 'cancelled');
    expect(existsSync(never.log)).toBe(false);
    await jobs.start(late);
    await reached(late.dispatchId, 'running');
    expect(await jobs.cancel(late.dispatchId)).toBe(false);
    await jobs.signal(late.dispatchId, 'KILL');
    await reached(late.dispatchId, 'exited');
  });

  it('end with all that they have begun, also what left their session or heeds no SIGTERM', async () => {
    const deaf = `trap '' TERM; (setsid sh -c 'trap "" TERM; while :; do sleep 1; done' &)
      (sleep 61 &) ; echo ready; sleep 60; sleep 60`;
    const job = jobOf(deaf);
    await jobs.start(job);
    await until(() => existsSync(job.log) && logOf(job) === 'ready\n', 'its processes');
    expect(await jobs.signal(job.dispatchId, 'TERM', 'CONT')).toBeGreaterThan(1);
    expect((await report(job.dispatchId)).state.kind).toBe('running');
    await jobs.signal(job.dispatchId, 'KILL');
    await until(async () => (await jobs.signal(job.dispatchId)) === 0, 'the end of all of them');
    expect(await reached(job.dispatchId, 'exited')).toMatchObject({
      state: { code: 137 },
      stopped: true,
    });
  });

  it('count what they leave behind', async () => {
    const job = jobOf('(setsid sleep 60 &) ; exit 0');
    await jobs.start(job);
    await reached(job.dispatchId, 'exited');
    await until(async () => (await report(job.dispatchId)).left === 1, 'what it left');
    await jobs.signal(job.dispatchId, 'KILL');
    await until(async () => (await report(job.dispatchId)).left === 0, 'its end');
    // It had ended by itself.
    expect((await report(job.dispatchId)).stopped).toBe(false);
  });

  it('stand still and go on', async () => {
    const go = join(folder, 'go');
    const job = jobOf(`until [ -e ${quoted(go)} ]; do sleep 0.05; done; echo done`);
    await jobs.start(job);
    await reached(job.dispatchId, 'running');
    await jobs.signal(job.dispatchId, 'STOP');
    writeFileSync(go, '');
    expect(await report(job.dispatchId)).toMatchObject({
      state: { kind: 'running' },
      paused: true,
    });
    expect(logOf(job)).toBe('');
    await jobs.signal(job.dispatchId, 'CONT');
    expect((await reached(job.dispatchId, 'exited')).paused).toBe(false);
    expect(logOf(job)).toBe('done\n');
  });

  it('are known to be orphans when their supervisor is killed', async () => {
    const job = jobOf('sleep 60');
    await jobs.start(job);
    await reached(job.dispatchId, 'running');
    const id = readFileSync(join(folder, 'attempts', job.dispatchId, 'id'), 'utf8');
    process.kill(Number(id.split(' ')[0]), 'SIGKILL');
    const orphan = await reached(job.dispatchId, 'orphaned');
    expect(orphan.left).toBeGreaterThan(0);
    await jobs.signal(job.dispatchId, 'KILL');
    await until(async () => (await report(job.dispatchId)).left === 0, 'the end of the orphans');
  });

  it('are known to have ended by a restart of their host', async () => {
    const job = jobOf('true');
    await jobs.start(job);
    await reached(job.dispatchId, 'exited');
    const directory = join(folder, 'attempts', job.dispatchId);
    rmSync(join(directory, 'rc'));
    writeFileSync(join(directory, 'id'), `${process.pid} 1 another-boot\n`);
    expect((await report(job.dispatchId)).state).toEqual({ kind: 'rebooted' });
    expect(await jobs.known()).toContain(job.dispatchId);
    await jobs.remove([job.dispatchId]);
    expect(await jobs.known()).toEqual([]);
    expect((await report(job.dispatchId)).state).toEqual({ kind: 'absent' });
  });

  it('say how long they ran', async () => {
    const job = jobOf('sleep 0.3');
    await jobs.start(job);
    const { state } = await reached(job.dispatchId, 'exited');
    expect(state).toEqual({ kind: 'exited', code: 0, ranMs: expect.any(Number) });
    expect(state.kind === 'exited' && state.ranMs).toBeGreaterThanOrEqual(290);
  });

  it('work only where they may, wherever links lead', async () => {
    const roots = [join(folder, 'other'), join(folder, 'work')];
    const [inside, outside] = [jobOf('pwd', { roots }), jobOf('pwd', { roots })];
    await jobs.start(inside);
    await reached(inside.dispatchId, 'exited');
    symlinkSync(tmpdir(), outside.workdir);
    await jobs.start(outside);
    expect((await reached(outside.dispatchId, 'unable')).state).toMatchObject({
      reason: expect.stringMatching(/^the folder .* is in none of those where commands may work$/),
    });
    expect(existsSync(outside.log)).toBe(false);
  });

  it('say why they cannot start', async () => {
    const job = jobOf('echo ran', { workdir: '/proc/nowhere/at/all' });
    await jobs.start(job);
    const { state } = await reached(job.dispatchId, 'unable');
    expect(state).toEqual({ kind: 'unable', reason: expect.stringContaining('/proc/nowhere') });
  });

  it('get their words as they are', async () => {
    const odd = `a'b"c $HOME \\ \`x\` é\n*`;
    const job = jobOf('printf %s "$ODD"', { env: { ODD: odd } });
    await jobs.start(job);
    await reached(job.dispatchId, 'exited');
    expect(logOf(job)).toBe(odd);
  });

  it('may set what they like: that is theirs alone', async () => {
    const names = ['dir', 'log', 'command', 'limits', 'child', 'again', 'code', 'BOOT'];
    const env = Object.fromEntries(names.map((name) => [name, `my ${name}`]));
    const show = names.map((name) => `"$${name}"`).join(' ');
    const clash = jobOf(`printf '%s\\n' ${show} "$PATH" "$TASK_DISPATCH_ID"`, {
      env: { ...env, PATH: '/nowhere', TASK_DISPATCH_ID: 'other' },
    });
    const broken = jobOf('true', { env: { OPTIND: 'none', PATH: '/nowhere' } });
    await Promise.all([jobs.start(clash), jobs.start(broken)]);
    await reached(clash.dispatchId, 'exited');
    await reached(broken.dispatchId, 'exited');
    const expected = [...Object.values(env), '/nowhere', clash.dispatchId];
    expect(logOf(clash).split('\n').slice(0, -1)).toEqual(expected);
  });

  it('may be long by the quotes in them, or in what they set', async () => {
    const quotes = "'".repeat(40_000);
    const command = jobOf(`printf %s "${quotes}" | wc -c`);
    const env = jobOf('printf %s "$QUOTES" | wc -c', { env: { QUOTES: quotes } });
    await Promise.all([jobs.start(command), jobs.start(env)]);
    await reached(command.dispatchId, 'exited');
    await reached(env.dispatchId, 'exited');
    expect([logOf(command), logOf(env)].map(Number)).toEqual([40_000, 40_000]);
  });

  it('may be longer than an argument of a program can be', async () => {
    const env = { LONG: 'y'.repeat(100_000), TASK_ID: 'mine' };
    const job = jobOf(`true ${'x'.repeat(300_000)}\necho "$TASK_DISPATCH_ID \${#LONG}"`, { env });
    await jobs.start(job);
    await reached(job.dispatchId, 'exited');
    expect(logOf(job)).toBe(`${job.dispatchId} 100000\n`);
  });

  it('are bounded', async () => {
    jobs = jobsWith({ openFiles: 77, processes: 9_999 });
    const job = jobOf('ulimit -n; grep "Max processes" /proc/self/limits');
    await jobs.start(job);
    await reached(job.dispatchId, 'exited');
    expect(logOf(job)).toMatch(/^77\nMax processes +9999 /);
  });

  it('have logs that are read from their end, whatever is in them', async () => {
    const job = jobOf('true');
    expect(await jobs.lastLines(join(folder, 'none.log'), 5)).toEqual([]);
    const log = join(folder, 'a.log');
    writeFileSync(
      log,
      Buffer.concat([Buffer.from('one\ntwo\n'), Buffer.from([0xff, 0, 10, 0x33])]),
    );
    expect(await jobs.lastLines(log, 2)).toEqual(['\ufffd\0', '3']);
    expect(await jobs.lastLines(log, 100)).toEqual(['one', 'two', '\ufffd\0', '3']);
    writeFileSync(log, 'x'.repeat(5_000_000));
    const [line = ''] = await jobs.lastLines(log, 1);
    expect(line).toHaveLength(4 * 1024 * 1024);
    expect(job.log).not.toBe(log);
  });

  it('have logs that are cut in the middle while they are written', async () => {
    const job = jobOf('i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; read x; ');
    await jobs.start(job);
    await reached(job.dispatchId, 'exited');
    const before = statSync(job.log).size;
    await jobs.cutLogs([job.log, '/no/such.log'], 100_000);
    expect(statSync(job.log).size).toBe(before);
    await jobs.cutLogs(['/no/such.log', job.log], 8_000);
    const lines = logOf(job).split('\n');
    expect(statSync(job.log).size).toBeLessThan(8_000);
    expect(lines[0]).toBe('line 0');
    expect(lines.at(-2)).toBe('line 2999');
    expect(logOf(job)).toMatch(/\n\[foresail: \d+ bytes left out\]\n/);
    expect(existsSync(`${job.log}.tail`)).toBe(false);
  });
});

describe('a prefix that runs nothing, and says that all is well', () => {
  const shell = new HostShell({ prefix: ['true'], environment: ENVIRONMENT, timeoutMs: 10_000 });
  const jobs = new HostJobs(shell, '/attempts', NO_LIMITS);
  const id = dispatchId('dispatch-1');

  it('leads to no host, starts nothing, and knows of no job', async () => {
    const places = { workdir: '/work', roots: [], log: '/log', env: {} };
    const job = { taskId: taskId('task-1'), dispatchId: id, command: 'true', ...places };
    await expect(jobs.reach()).rejects.toThrow(HostUnreachableError);
    await expect(jobs.start(job)).rejects.toThrow(HostUnreachableError);
    await expect(jobs.states([id])).rejects.toThrow(HostUnreachableError);
    await expect(jobs.states([])).resolves.toEqual(new Map());
  });
});

describe('HostShell', () => {
  const shellOf = (prefix: readonly string[], timeoutMs = 10_000): HostShell =>
    new HostShell({ prefix, environment: ENVIRONMENT, timeoutMs });

  it('does not take the failure of a prefix for a result', async () => {
    const failing = shellOf(['/bin/sh', '-c', 'echo no route to host >&2; exit 255']).run('true');
    await expect(failing).rejects.toThrow(HostUnreachableError);
    await expect(failing).rejects.toThrow('/bin/sh: no route to host');
    await expect(shellOf([]).run('exit 255')).resolves.toMatchObject({ code: 255 });
  });

  it('keeps the script, and the secrets in it, out of what it says of a failure', async () => {
    const failing = shellOf(['/bin/sh', '-c', 'exit 255']).run('export KEY=secret');
    const error: unknown = await failing.catch((thrown: unknown) => thrown);
    expect(error).toEqual(new HostUnreachableError('/bin/sh: ended with 255'));
    expect(inspect(error)).not.toContain('secret');
  });

  it('says that a program is not there, and that a host does not answer', async () => {
    await expect(shellOf(['/no/such/ssh']).run('true')).rejects.toThrow('/no/such/ssh: not found');
    await expect(shellOf([], 50).run('sleep 60')).rejects.toThrow('no answer in 50 ms');
  });

  it('ends with a prefix that does not answer what that has begun', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'foresail-prefix-'));
    const file = join(folder, 'pid');
    const slow = `sleep 600 & echo $! >${quoted(file)}; wait`;
    await expect(shellOf(['/bin/sh', '-c', slow], 500).run('true')).rejects.toThrow('no answer');
    const begun = Number(readFileSync(file, 'utf8'));
    expect(begun).toBeGreaterThan(0);
    await until(() => !isAlive(begun), 'the end of what the prefix began');
    rmSync(folder, { recursive: true });
  });

  it('takes no answer without end', async () => {
    await expect(shellOf([]).run('yes')).rejects.toThrow('has more than 16777216 bytes');
  });

  it('tells what a script said and how it ended', async () => {
    const answer = await shellOf([]).run('cat; echo bad >&2; exit 3', 'input');
    expect(answer).toEqual({ code: 3, output: 'input', complaint: 'bad\n' });
  });

  it('quotes', () => {
    expect(quoted(`it's`)).toBe(`'it'\\''s'`);
  });
});
