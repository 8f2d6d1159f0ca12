import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { startDurableCluster } from '../test/support/cluster';
import { echoing } from './echoing';
import { markdownTable } from './markdown';
import type { Surroundings } from './surroundings';

/** What this machine does in the same run, with nothing of ours in between. All per second. */
export interface Limits {
  /** A bare `node:http` server that parses a JSON body and sends it back. */
  readonly rawEcho: number;
  /** Nest, Express and a `ValidationPipe`, as they come, doing the same. */
  readonly nestEcho: number;
  /** Commits of one row each, on one connection and on 32. */
  readonly commitsAlone: number;
  readonly commitsAbreast: number;
  /** Rows, 200 a commit by `unnest`, on one connection. */
  readonly rowsInBatches: number;
  /** 8 KiB written and brought to the disk. */
  readonly flushes: number;
}

const NAMES = {
  rawEcho: 'echo by raw `node:http`, 32 connections',
  nestEcho: 'echo by Nest 11, Express and a `ValidationPipe`, 32 connections',
  commitsAlone: 'PostgreSQL: commits of one row, one connection',
  commitsAbreast: 'PostgreSQL: commits of one row, 32 connections',
  rowsInBatches: 'PostgreSQL: rows by `unnest` of 200 a commit, one connection',
  flushes: 'disk: 8 KiB written and flushed',
} satisfies Record<keyof Limits, string>;

const ABREAST = 32;
const BATCH = 200;
const PAGE_BYTES = 8_192;
const CREATE = 'CREATE TABLE bench (id bigint PRIMARY KEY, body text NOT NULL)';
const ONE = 'INSERT INTO bench (id, body) VALUES ($1, $2)';
const MANY = 'INSERT INTO bench (id, body) SELECT * FROM unnest($1::bigint[], $2::text[])';
const BODY = 'x'.repeat(300);

/** Measures them, one after the other, each for so many seconds. */
export async function limitsOf(surroundings: Surroundings, seconds: number): Promise<Limits> {
  const raw = await (await echoing(surroundings, 'echo', seconds)).round(0);
  const nest = await (await echoing(surroundings, 'nest-echo', seconds)).round(0);
  const flushes = await flushesIn(surroundings.folder, seconds);
  return {
    rawEcho: raw.perSecond,
    nestEcho: nest.perSecond,
    flushes,
    ...(await databaseLimits(seconds)),
  };
}

/** As a Markdown table. */
export function limitTable(limits: Limits): string {
  const names = Object.entries(NAMES) as [keyof Limits, string][];
  const rows = names.map(([name, what]) => [what, limits[name].toFixed(0)]);
  return markdownTable(['what this machine does by itself', 'per second'], rows);
}

type DatabaseLimits = Pick<Limits, 'commitsAlone' | 'commitsAbreast' | 'rowsInBatches'>;

async function databaseLimits(seconds: number): Promise<DatabaseLimits> {
  const cluster = await startDurableCluster();
  const clients: Client[] = [];
  let id = 0;
  try {
    for (let n = 0; n < ABREAST; n += 1) {
      const client = new Client({ connectionString: cluster.databaseUrl('postgres') });
      await client.connect();
      clients.push(client);
    }
    await clients[0]?.query(CREATE);
    const one = (client: Client): Promise<unknown> =>
      client.query({ name: 'one', text: ONE, values: [++id, BODY] });
    const many = (client: Client): Promise<unknown> => {
      const ids = Array.from({ length: BATCH }, () => ++id);
      return client.query({ name: 'many', text: MANY, values: [ids, ids.map(() => BODY)] });
    };
    return {
      commitsAlone: await rateOf(clients.slice(0, 1), one, seconds),
      commitsAbreast: await rateOf(clients, one, seconds),
      rowsInBatches: BATCH * (await rateOf(clients.slice(0, 1), many, seconds)),
    };
  } finally {
    await Promise.all(clients.map((client) => client.end()));
    await cluster.dispose();
  }
}

/** How many steps are made per second, one after the other on each connection. */
async function rateOf(
  clients: readonly Client[],
  step: (client: Client) => Promise<unknown>,
  seconds: number,
): Promise<number> {
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1_000;
  let steps = 0;
  const run = async (client: Client): Promise<void> => {
    for (; elapsed() < seconds; steps += 1) await step(client);
  };
  await Promise.all(clients.map(run));
  return steps / elapsed();
}

/** On the disk on which the databases of the bench lie. */
async function flushesIn(folder: string, seconds: number): Promise<number> {
  const path = join(folder, 'flushed');
  const file = await open(path, 'w');
  const page = Buffer.alloc(PAGE_BYTES, 1);
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1_000;
  let flushes = 0;
  try {
    for (; elapsed() < seconds; flushes += 1) {
      await file.write(page);
      await file.datasync();
    }
  } finally {
    await file.close();
    await rm(path);
  }
  return flushes / elapsed();
}
