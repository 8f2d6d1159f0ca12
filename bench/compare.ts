import { execFile } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { isRoot } from '../src/ops/accounts';
import { removeScratch, scratchDirectory } from '../test/support/scratch';
import { accepting } from './figures/p1-accept';
import { living } from './figures/p1b-lives';
import { arriving } from './figures/p5-latency';
import { LoadGenerator, NUMBER, post } from './load';
import { machine } from './machine';
import { markdownTable } from './markdown';
import { interleaved, median, medianRatio, type Subject } from './rounds';
import { Surroundings, type Costed, type Served } from './surroundings';

/**
 * `npm run bench:compare -- COMMIT`: is this tree as fast as that commit? Builds the commit in a work tree
 * of its own, and drives both in turn with the same loads. A ratio above 1 is better than before.
 */
const ROOT = resolve(__dirname, '..');
const HERE = join(ROOT, 'dist', 'main.js');
const ROUNDS = 5;
const SECONDS = 4;
/** Batch jobs are accepted where commands are allowed, and wait while there is no host. */
const COMMANDS = {
  FORESAIL_COMMANDS: 'on',
  ...(isRoot() && { FORESAIL_JOB_USER: 'daemon' }),
};

const run = promisify(execFile);

/** Something that both do, and what of it is compared. */
interface Comparison<T> {
  readonly name: string;
  readonly what: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly open: (surroundings: Surroundings, served: Served) => Promise<Subject<T>>;
  readonly figures: readonly Compared<T>[];
}

interface Compared<T> {
  readonly name: string;
  readonly of: (round: T) => number;
  readonly isBetter: 'more' | 'less';
}

const LOAD: readonly Compared<Costed>[] = [
  { name: 'per second', of: ({ perSecond }) => perSecond, isBetter: 'more' },
  { name: 'p99 ms', of: ({ p99Ms }) => p99Ms, isBetter: 'less' },
  { name: 'CPU µs each', of: ({ cpuMicros }) => cpuMicros, isBetter: 'less' },
];

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string', default: String(ROUNDS) } },
  });
  const [commit] = positionals;
  if (commit === undefined) throw new Error('name the commit: npm run bench:compare -- COMMIT');
  const where = machine();
  const generator = await LoadGenerator.start();
  try {
    const rows = await withBuild(commit, (entry) =>
      compareAll(generator, entry, Number(values.rounds)),
    );
    const head = ['what', 'figure', `at ${commit}`, 'now', 'better by'];
    process.stdout.write(`${where}\n\n${markdownTable(head, rows, 2)}`);
  } finally {
    await generator.stop();
  }
}

/** Builds a commit beside this tree for as long as it is used. */
async function withBuild<T>(commit: string, use: (entry: string) => Promise<T>): Promise<T> {
  const folder = await scratchDirectory();
  const tree = join(folder, 'tree');
  try {
    await run('git', ['worktree', 'add', '--detach', tree, commit], { cwd: ROOT });
    await takeDependencies(tree);
    tell(`building ${commit}`);
    await run('npm', ['run', '--silent', 'build'], { cwd: tree });
    return await use(join(tree, 'dist', 'main.js'));
  } finally {
    await run('git', ['worktree', 'remove', '--force', tree], { cwd: ROOT }).catch(() => undefined);
    await removeScratch(folder);
  }
}

/** What a commit depends on: what is here where that is the same, else its own, from its own lock file. */
async function takeDependencies(tree: string): Promise<void> {
  const locked = (root: string): Promise<string> =>
    readFile(join(root, 'package-lock.json'), 'utf8');
  if ((await locked(tree)) === (await locked(ROOT))) {
    await symlink(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
    return;
  }
  tell('installing what it depends on');
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: tree });
}

async function compareAll(
  generator: LoadGenerator,
  before: string,
  rounds: number,
): Promise<readonly (readonly string[])[]> {
  const compare = <T>(comparison: Comparison<T>): Promise<readonly (readonly string[])[]> =>
    Surroundings.lend(generator, (around) => compared(around, before, rounds, comparison));
  return [
    ...(await compare({
      name: 'accept',
      what: 'P1: POST /queue/submit, nothing free',
      open: (around, served) => accepting(around, served, SECONDS),
      figures: LOAD,
    })),
    ...(await compare({
      name: 'lives',
      what: 'P1b: submit, execute, record',
      open: (around, served) => living(around, served, SECONDS),
      figures: [
        { name: 'per second', of: ({ perSecond }) => perSecond, isBetter: 'more' },
        { name: 'CPU µs each', of: ({ cpuMicros }) => cpuMicros, isBetter: 'less' },
      ],
    })),
    ...(await compare({
      name: 'latency',
      what: 'P5: submit → the worker has it',
      open: (around, served) => arriving(around, served, SECONDS),
      figures: [
        { name: 'p50 ms', of: ({ p50Ms }) => p50Ms, isBetter: 'less' },
        { name: 'p99 ms', of: ({ p99Ms }) => p99Ms, isBetter: 'less' },
      ],
    })),
    ...(await compare({
      name: 'jobs',
      what: 'POST /scheduler/jobs, no host',
      env: COMMANDS,
      open: submittingJobs,
      figures: LOAD,
    })),
  ];
}

/** Rounds of both in turn, on databases of their own. */
async function compared<T>(
  surroundings: Surroundings,
  before: string,
  rounds: number,
  { name, what, env = {}, open, figures }: Comparison<T>,
): Promise<readonly (readonly string[])[]> {
  tell(what);
  const openAt = async (entry: string, when: string): Promise<Subject<T>> =>
    open(surroundings, await surroundings.serve({ name: `${name}-${when}`, env, entry }));
  const subjects = { before: await openAt(before, 'before'), now: await openAt(HERE, 'now') };
  const seen = await interleaved(rounds, subjects);
  return figures.map(({ name: figure, of, isBetter }) => {
    const ratio =
      isBetter === 'more'
        ? medianRatio(seen.now, seen.before, of)
        : medianRatio(seen.before, seen.now, of);
    const values = [median(seen.before, of), median(seen.now, of)];
    return [what, figure, ...values.map((value) => value.toFixed(1)), ratio.toFixed(2)];
  });
}

/** Jobs that wait for a host, round by round. */
async function submittingJobs(
  surroundings: Surroundings,
  { service: { child, url } }: Served,
): Promise<Subject<Costed>> {
  const round = (n: number | string): Promise<Costed> => {
    const job = { command: 'true', project: `${n}-${NUMBER}`, owner: 'bench' };
    const load = { calls: [post('/scheduler/jobs', job)], seconds: SECONDS };
    return surroundings.drive(child.pid, url, load);
  };
  await round('warm');
  return { round };
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
