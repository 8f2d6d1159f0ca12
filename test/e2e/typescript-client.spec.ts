import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkerProcess } from '../support/worker-process';

const ROOT = join(__dirname, '..', '..');

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs node and waits for its end. */
function node(cwd: string, ...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

describe('a program that imports foresail/clients', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foresail-example-'));
    await cp(join(ROOT, 'examples', 'typescript-client'), folder, { recursive: true });
    await mkdir(join(folder, 'node_modules'));
    // As `npm install` puts it there from `file:../..`.
    await symlink(ROOT, join(folder, 'node_modules', 'foresail'));
    await symlink(join(ROOT, 'node_modules', '@types'), join(folder, 'node_modules', '@types'));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('compiles, and gives a task to a real worker', async () => {
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    expect(await node(folder, tsc, '-p', folder)).toEqual({ code: 0, out: '', err: '' });
    const worker = await WorkerProcess.start('--id', 'solo', '--model', 'demo');
    const { hostname, port } = new URL(worker.url);
    const { code, out, err } = await node(folder, 'main.js', hostname, port);
    worker.kill('SIGKILL');
    await worker.ended();
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^solo serves demo with 1 replicas\n\S+ completed: \{.*\}\n$/);
    const failed = await node(folder, 'main.js', hostname, port);
    expect(failed).toEqual({
      code: 1,
      out: '',
      err: `task instance ${hostname}:${port}, GET /status: connect ECONNREFUSED\nit has certainly not arrived\n`,
    });
  });

  it('loads undici and nothing else', async () => {
    const program = `
      require('foresail/clients');
      const packages = Object.keys(require.cache)
        .map((file) => /.*node_modules[/](@[^/]+[/][^/]+|[^/]+)/.exec(file)?.[1] ?? 'foresail');
      console.log([...new Set(packages)].join());`;
    expect((await node(folder, '-e', program)).out).toBe('foresail,undici\n');
  });
});
