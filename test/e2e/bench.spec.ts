import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { endPart, startPart, type Part } from '../../bench/child';
import { LoadGenerator, NUMBER, post, UNIX_SECONDS } from '../../bench/load';

const ROOT = resolve(__dirname, '../..');
const run = promisify(execFile);

describe('the load generator', () => {
  let echo: Part;
  let generator: LoadGenerator;

  beforeAll(async () => {
    echo = await startPart('echo');
    generator = await LoadGenerator.start();
  });
  afterAll(async () => {
    await generator.stop();
    await endPart(echo);
  });

  const origin = (): string => `http://127.0.0.1:${echo.ports[0]}`;
  const calls = [post('/', { id: `a-${NUMBER}`, at: UNIX_SECONDS })];

  it('makes as many calls as it is told', async () => {
    const figures = await generator.drive(origin(), { calls, requests: 500 });
    expect(figures.requests).toBe(500);
    expect(figures.p50Ms).toBeGreaterThan(0);
    expect(figures.p99Ms).toBeGreaterThanOrEqual(figures.p50Ms);
  });

  it('keeps an even pace', async () => {
    const figures = await generator.drive(origin(), { calls, perSecond: 100, seconds: 1 });
    expect(figures.requests).toBeLessThanOrEqual(100);
    expect(figures.requests).toBeGreaterThan(0);
  });

  it('fails with the first answer of another status, marks filled in', async () => {
    for (const pace of [{ requests: 32 }, { perSecond: 100, seconds: 1 }]) {
      const driven = generator.drive(origin(), { calls, ...pace, from: 41, status: 201 });
      await expect(driven).rejects.toThrow(/^\/: 200 \{"id":"a-000000\d\d","at":"\d{10}"\}$/);
    }
  });
});

describe('npm run bench', () => {
  it('shows a figure beside the limits of the machine', async () => {
    const bench = join(ROOT, 'bench');
    const args = ['-r', join(bench, 'register.js'), join(bench, 'bench.ts'), 'P5', '--short'];
    const { stdout } = await run(process.execPath, args, { cwd: ROOT });
    expect(stdout).toMatch(/^\| echo by raw `node:http`, 32 connections \| \d+ \|$/m);
    expect(stdout).toMatch(/^\| disk: 8 KiB written and flushed \| \d+ \|$/m);
    expect(stdout).toMatch(/^\| P5 \| submit .* p99 \| [\d. ]+ ms \| +\| +\| ≤ 15 ms \|/m);
  });

  it('names the figures that there are', async () => {
    const bench = join(ROOT, 'bench');
    const args = ['-r', join(bench, 'register.js'), join(bench, 'bench.ts'), 'P9'];
    await expect(run(process.execPath, args)).rejects.toThrow(
      /there is no figure P9; there are P1, /,
    );
  });
});
