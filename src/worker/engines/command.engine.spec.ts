import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../../test/support/is-alive';
import { until } from '../../../test/support/until';
import type { JsonObject } from '../../http/dto-fields';
import type { EngineOutcome, EngineTask } from '../engine';
import { CommandEngine, type CommandEngineOptions } from './command.engine';

// Every test starts processes, and the machine may be busy.
jest.setTimeout(60_000);

const task = (input: JsonObject = {}, metadata: JsonObject = {}): EngineTask => ({
  id: 't1',
  dispatchId: 'd1',
  model: 'm',
  input,
  metadata,
});

const failure = (text: string | RegExp): EngineOutcome => ({
  ok: false,
  error: typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text),
});

describe('CommandEngine', () => {
  let folder: string;
  let engines: CommandEngine[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foresail-command-'));
    engines = [];
  });

  afterEach(async () => {
    for (const engine of engines) await engine.close();
    await rm(folder, { recursive: true });
  });

  function engineFor(
    argv: CommandEngineOptions['argv'],
    options: Partial<CommandEngineOptions> = {},
  ): CommandEngine {
    const engine = new CommandEngine({
      argv,
      environment: { PATH: process.env['PATH'] ?? '' },
      speed: 1,
      taskTimeoutMs: 60_000,
      killGraceMs: 200,
      resultLimitBytes: 1_048_576,
      ...options,
    });
    engines.push(engine);
    return engine;
  }

  const shell = (script: string, options?: Partial<CommandEngineOptions>): CommandEngine =>
    engineFor(['sh', '-c', script, 'sh', folder], options);

  const node = (script: string, options?: Partial<CommandEngineOptions>): CommandEngine =>
    engineFor([process.execPath, '-e', script, folder], options);

  const run = (engine: CommandEngine, of = task()): Promise<EngineOutcome> =>
    engine.run(of, new AbortController().signal);

  /** The process ids that the command has written to files of its folder. */
  async function pids(...names: string[]): Promise<number[]> {
    const read = (name: string): string => {
      const path = join(folder, name);
      return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
    };
    await until(() => names.every((name) => read(name) !== ''), `the processes ${names.join()}`);
    return names.map((name) => Number(read(name)));
  }

  it('gives the input on standard input and takes the printed object as the result', async () => {
    const input = { text: 'ä😀"\n', list: [1, 2.5, 1e300, null], __proto__: { a: 1 } };

    expect(await run(engineFor(['cat']), task(input))).toEqual({ ok: true, result: input });
  });

  it('wraps a value that is no object', async () => {
    expect(await run(shell('echo " [1, 2] "'))).toEqual({ ok: true, result: { output: [1, 2] } });
    expect(await run(shell('echo null'))).toEqual({ ok: true, result: { output: null } });
  });

  it('passes an input through that is larger than a pipe', async () => {
    const text = 'x'.repeat(900_000);

    expect(await run(engineFor(['cat']), task({ text }))).toEqual({ ok: true, result: { text } });
  });

  it('shows the process its ids, and nothing else of our environment', async () => {
    process.env['DATABASE_URL'] = 'postgres://secret';
    const print = 'console.log(JSON.stringify(process.env))';
    const environment = { PATH: '/bin', HOME: '/h' };
    const outcome = await run(node(print, { environment }));

    expect(outcome).toEqual({
      ok: true,
      result: { PATH: '/bin', HOME: '/h', TASK_ID: 't1', TASK_DISPATCH_ID: 'd1' },
    });
    const own = await run(node(print, { environment }), { ...task(), dispatchId: null });
    expect(own).toMatchObject({ result: { TASK_ID: 't1' } });
    expect(own).not.toMatchObject({ result: { TASK_DISPATCH_ID: expect.anything() } });
  });

  it.each<[string, string, string | RegExp]>([
    [
      'an exit code',
      'echo one >&2; echo two >&2; echo \'{"a":1}\'; exit 3',
      /^the command ended with exit code 3; last lines of its standard error:\none\ntwo$/,
    ],
    ['a signal', 'kill -SEGV $$', /^the command ended by SIGSEGV/],
    ['no output', 'true', /^the command printed nothing; one JSON value on standard output/],
    [
      'output that is not JSON',
      'echo loading model; echo "{}"',
      /^the output of the command is not valid JSON.*; one JSON value.*It begins "loading model\\n{}/,
    ],
    ['two values', 'echo "{}"; echo "{}"', 'is not valid JSON'],
    ['NaN', `echo '{"a":NaN}'`, 'is not valid JSON'],
    ['bytes that are no text', `printf '"\\377"'`, 'is not valid UTF-8'],
    ['a number that cannot be kept', 'echo 9007199254740993', 'cannot be kept exactly'],
  ])('fails the task: %s', async (_name, script, message) => {
    expect(await run(shell(script))).toEqual(failure(message));
  });

  it('keeps the last lines of a long standard error', async () => {
    const script = 'for n in $(seq 5000); do echo "line $n" >&2; done; exit 1';
    const outcome = await run(shell(script));

    expect(outcome).toEqual(failure(/error:\nline 4981\n(line \d+\n){18}line 5000$/));
  });

  it('fails the task when the program is missing, or is none', async () => {
    expect(await run(engineFor(['./absent/program']))).toEqual(
      failure('the command could not be started: ./absent/program: not found'),
    );
    expect(await run(engineFor([folder]))).toEqual(failure(/could not be started: .*executable/));
  });

  it('takes a program that never reads its input, and one that ends before', async () => {
    const large = task({ text: 'x'.repeat(1_000_000) });

    expect(await run(shell('exec <&-; echo "{}"'), large)).toEqual({ ok: true, result: {} });
    expect(await run(shell('sleep 0.05; echo "{}"'), large)).toEqual({ ok: true, result: {} });
  });

  it('ends a process that floods its output, and its children', async () => {
    const engine = shell('echo $$ > "$1/flood"; yes | cat', { resultLimitBytes: 10_000 });
    const outcome = run(engine);
    const [pid] = await pids('flood');

    expect(await outcome).toEqual(failure('result too large: more than 10000 bytes'));
    await until(() => !isAlive(pid!), 'the end of the flood');
  });

  it('asks at a timeout, and takes no for no answer', async () => {
    const polite = `echo $$ > "$1/polite"; trap 'echo bye >&2; exit 0' TERM; while :; do sleep 0.02; done`;
    expect(await run(shell(polite, { taskTimeoutMs: 2000 }))).toEqual(
      failure(/^timed out after 2000 ms; last lines of its standard error:\n[^]*bye$/),
    );
    const deaf = `echo $$ > "$1/deaf"; trap '' TERM; while :; do sleep 0.02; done`;
    const outcome = run(shell(deaf, { taskTimeoutMs: 2000 }));
    const [pid] = await pids('deaf');

    expect(await outcome).toEqual(failure(/^timed out after 2000 ms/));
    expect(isAlive(pid!)).toBe(false);
  });

  it('takes the shorter of its own limit and that of the task', async () => {
    const engine = shell('sleep 60', { taskTimeoutMs: 700 });

    expect(await run(engine, task({}, { timeout_ms: 100 }))).toEqual(failure('after 100 ms'));
    expect(await run(engine, task({}, { timeout_ms: 1e9 }))).toEqual(failure('after 700 ms'));
    expect(await run(engine, task({}, { timeout_ms: 'soon' }))).toEqual(
      failure('metadata.timeout_ms is "soon"'),
    );
  });

  it('leaves nothing behind: what a process forked ends with it', async () => {
    const script = `(trap '' TERM HUP; sleep 600) & echo $! > "$1/left"; echo '{"a":1}'`;
    const outcome = await run(shell(script));
    const [pid] = await pids('left');

    expect(outcome).toEqual({ ok: true, result: { a: 1 } });
    await until(() => !isAlive(pid!), 'the end of what was left');
  });

  it('does not wait for a process that left the group and holds its output', async () => {
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn('sleep', ['5'], { detached: true, stdio: 'inherit' });
      require('node:fs').writeFileSync(process.argv[1] + '/stray', String(child.pid));
      child.unref();
      console.log('{"a":1}');`;
    const outcome = await run(node(script));
    const [pid] = await pids('stray');

    expect(outcome).toEqual({ ok: true, result: { a: 1 } });
    expect(isAlive(pid!)).toBe(true);
    process.kill(pid!, 'SIGKILL');
  });

  it('kills the whole group when the execution is given up', async () => {
    const engine = shell(`sleep 600 & echo $! > "$1/child"; echo $$ > "$1/parent"; wait`);
    const controller = new AbortController();
    const outcome = engine.run(task(), controller.signal);
    const both = await pids('child', 'parent');
    controller.abort();

    await expect(outcome).rejects.toThrow('aborted');
    await until(() => !both.some(isAlive), 'the end of the group');
  });

  it('runs tasks at the same time, and learns how long they take', async () => {
    const engine = shell('echo $$ > "$1/$TASK_ID"; until [ -e "$1/go" ]; do sleep 0.02; done; cat');
    const outcomes = ['a', 'b'].map((id) => run(engine, { ...task({ id }), id }));
    const both = await pids('a', 'b');
    expect(both.every(isAlive)).toBe(true);
    expect(engine.estimate(task())).toEqual({ expectedMs: 0, errorMs: 0 });
    await run(shell('echo > "$1/go"'));

    expect(await Promise.all(outcomes)).toMatchObject([
      { result: { id: 'a' } },
      { result: { id: 'b' } },
    ]);
    expect(engine.estimate(task()).expectedMs).toBeGreaterThan(0);
  });
});
