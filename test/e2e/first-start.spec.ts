import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { until } from '../support/until';

jest.setTimeout(120_000);

const LAUNCHER = resolve(__dirname, '../../bin/foresail.js');
/** A build that begins, deletes what was there, and ends when the test says so. */
const BUILD = `
  const fs = require('node:fs');
  fs.appendFileSync('builds', 'x');
  fs.rmSync('dist', { recursive: true, force: true });
  while (!fs.existsSync('go')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  fs.mkdirSync('dist');
  fs.writeFileSync('dist/main.js', 'console.log("served")');
  fs.writeFileSync('dist/.built', '');
`;

describe('the first start of a clone', () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foresail-clone-'));
    for (const name of ['bin', 'src', 'migrations']) await mkdir(at(name));
    await cp(LAUNCHER, at('bin/foresail.js'));
    writeFileSync(at('build.js'), BUILD);
    writeFileSync(at('package.json'), JSON.stringify({ scripts: { build: 'node build.js' } }));
  });

  afterEach(() => rm(folder, { recursive: true }));

  function start() {
    const child = spawn(process.execPath, [at('bin/foresail.js')]);
    const run = { child, out: '', err: '', ended: once(child, 'close') };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (run.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (run.err += text));
    return run;
  }

  it('builds once, however many are started, and all of them run', async () => {
    const first = start();
    await until(() => existsSync(at('builds')), 'the build');
    const others = [start(), start()];
    await until(() => others.every(({ err }) => err.includes('Waiting')), 'both wait');
    writeFileSync(at('go'), '');
    await Promise.all([first, ...others].map(({ ended }) => ended));

    expect([first, ...others].map(({ out }) => out)).toEqual(Array(3).fill('served\n'));
    expect(readFileSync(at('builds'), 'utf8')).toBe('x');
    expect((await readdir(folder)).filter((name) => name.startsWith('.building'))).toEqual([]);
  });

  it('does not wait for a build that was killed', async () => {
    const killed = start();
    await until(() => existsSync(at('builds')), 'the build');
    killed.child.kill('SIGKILL');
    writeFileSync(at('go'), '');
    await killed.ended;
    expect(existsSync(at('.building'))).toBe(true);
    await rm(at('dist'), { recursive: true, force: true });
    const next = start();
    await next.ended;

    expect(next.out).toBe('served\n');
    expect(readFileSync(at('builds'), 'utf8')).toBe('xx');
    expect(existsSync(at('.building'))).toBe(false);
  });
});
