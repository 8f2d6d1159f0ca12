import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ENDLESS_MS } from '../support/task-desk';
import { Scenario } from '../support/scenario';
import { runCli } from '../support/cli-run';

jest.setTimeout(180_000);

const ROOT = resolve(__dirname, '../..');
const EXAMPLES = join(ROOT, 'examples');
const run = promisify(execFile);

describe('examples', () => {
  let scenario: Scenario;
  let folder: string;

  beforeEach(async () => {
    scenario = await Scenario.begin();
    folder = await mkdtemp(join(tmpdir(), 'foresail-examples-'));
  });
  afterEach(async () => {
    await scenario.close();
    await rm(folder, { recursive: true });
  });

  /** Runs a program as a user would, told where the scheduler is. */
  const user = (program: string, ...args: string[]): Promise<{ stdout: string }> =>
    run(program, args, { env: { PATH: process.env['PATH'], FORESAIL_URL: scenario.url } });

  it('curl', async () => {
    await scenario.serve();
    await scenario.worker('w', 'demo');
    await scenario.registered(1);
    const prompt = 'a "prompt"\nwith C:\\new\tand $HOME';
    const { stdout } = await user('sh', join(EXAMPLES, 'curl/submit.sh'), 'demo', prompt);
    const [submitted, done] = stdout.trim().split('\n');
    expect(JSON.parse(submitted ?? '')).toMatchObject({ status: 'success' });
    expect(JSON.parse(done ?? '')).toMatchObject({
      task_status: 'completed',
      result: { output: { prompt } },
    });
    const nobody = user('sh', join(EXAMPLES, 'curl/submit.sh'), 'unheard-of');
    await expect(nobody).rejects.toMatchObject({ code: 22 });
  });

  it('typescript', async () => {
    const from = join(EXAMPLES, 'typescript');
    for (const name of ['submit.ts', 'tsconfig.json'])
      await copyFile(join(from, name), join(folder, name));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await user(process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder);
    await scenario.serve();
    await scenario.worker('w', 'demo');
    await scenario.registered(1);
    const program = join(folder, 'dist/submit.js');
    const { stdout } = await user(process.execPath, program, 'demo', 'a prompt');
    expect(JSON.parse(stdout)).toMatchObject({ output: { prompt: 'a prompt' } });
  });

  it('custom-strategy', async () => {
    const service = await scenario.serve({
      FORESAIL_STRATEGY_FILES: join(EXAMPLES, 'custom-strategy/pack.js'),
    });
    const chosen = await runCli(['strategy', 'pack'], { env: { FORESAIL_URL: scenario.url } });
    expect(chosen.code).toBe(0);
    for (const name of ['a', 'b', 'c']) await scenario.worker(name, 'm', '--replicas', '3');
    await scenario.registered(3);
    const places: string[] = [];
    for (let n = 0; n < 6; n += 1) {
      const task = { model_name: 'm', task_input: {}, metadata: { service_ms: ENDLESS_MS } };
      places.push((await service.post('/queue/submit', task)).body.scheduled_ti);
    }
    expect(new Set(places.slice(0, 3)).size).toBe(1);
    expect(new Set(places.slice(3)).size).toBe(1);
    expect(new Set(places).size).toBe(2);
  });

  it('instances-file', async () => {
    const chat = await scenario.loneWorker('chat');
    const code = await scenario.loneWorker('code');
    const example = await readFile(join(EXAMPLES, 'instances-file/instances.yaml'), 'utf8');
    const file = join(folder, 'instances.yaml');
    const portOf = (url: string): string => new URL(url).port;
    // The ports that the example names may be in use here.
    await writeFile(
      file,
      example.replace('8111', portOf(chat.url)).replace('8112', portOf(code.url)),
    );
    const service = await scenario.serve({ FORESAIL_INSTANCES_FILE: file });
    await scenario.registered(2);
    for (const model of ['chat', 'code']) {
      const args = ['submit', '--model', model, '--input', '{"prompt": "hi"}', '--wait'];
      const { code: status, out } = await runCli(args, { env: { FORESAIL_URL: service.url } });
      expect({ status, out }).toEqual({ status: 0, out: expect.stringContaining('"hi"') });
    }
  });
});
