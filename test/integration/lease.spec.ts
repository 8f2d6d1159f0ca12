import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import {
  LeadershipLease,
  type LeadershipLeaseOptions,
} from '../../src/persistence/leadership-lease';
import { ownIdentity, type ProcessIdentity } from '../../src/persistence/process-identity';
import { inspectProcess } from '../../src/persistence/embedded/process-facts';
import { blockedSessions } from '../support/blocked-sessions';
import { freshDatabase, type TestDatabase } from '../support/database';
import { RecordedLog } from '../support/journal-rig';
import { PostgresProxy } from '../support/postgres-proxy';
import { until } from '../support/until';

const HOUR_MS = 3_600_000;

let database: TestDatabase;
let client: Client;
let leases: LeadershipLease[];
const children: ChildProcess[] = [];

beforeEach(async () => {
  database = await freshDatabase();
  client = new Client({ connectionString: database.url, application_name: 'tests' });
  await client.connect();
  leases = [];
});

afterEach(async () => {
  await Promise.all(leases.map((lease) => lease.close()));
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await client.end();
  await database.drop();
});

/** A contender; unless told otherwise on a machine of its own, with a lease that never runs out. */
async function contender(options: Partial<LeadershipLeaseOptions> = {}): Promise<LeadershipLease> {
  const identity = { ...(await ownIdentity()), machine: randomUUID() };
  const lease = new LeadershipLease({
    url: database.url,
    leaseMs: HOUR_MS,
    logger: new RecordedLog(),
    identity,
    ...options,
  });
  leases.push(lease);
  return lease;
}

/** Lets the lease run out by the database's clock. */
async function expire(): Promise<void> {
  await client.query(`UPDATE leadership SET expires_at = now() - interval '1 millisecond'`);
}

interface Row {
  readonly epoch: string;
  readonly holder: string | null;
  readonly left_ms: number;
  readonly renewed_at: Date;
}

async function row(): Promise<Row> {
  const { rows } = await client.query<Row>(
    `SELECT epoch, holder, renewed_at,
            extract(epoch FROM expires_at - now())::float8 * 1000 AS left_ms
       FROM leadership`,
  );
  const [only] = rows;
  if (!only) throw new Error('there is no row of leadership');
  return only;
}

describe('acquiring', () => {
  it('begins a new term when nobody leads', async () => {
    const lease = await contender();
    expect(lease.epoch).toBeNull();
    expect(await lease.acquire()).toBe(1);
    expect(lease.epoch).toBe(1);
    const { left_ms: left } = await row();
    expect(left).toBeGreaterThan(HOUR_MS - 60_000);
    expect(left).toBeLessThanOrEqual(HOUR_MS);
  });

  it('lets one of many contenders in, time after time', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => contender()));
    for (let epoch = 1; epoch <= 5; epoch++) {
      const won = await Promise.all(all.map((lease) => lease.acquire()));
      expect(won.filter((term) => term !== null)).toEqual([epoch]);
      await expire();
    }
  });

  it('does not let anybody in while the lease runs', async () => {
    await (await contender()).acquire();
    const second = await contender();
    expect(await second.acquire()).toBeNull();
    expect(second.epoch).toBeNull();
    await expire();
    expect(await second.acquire()).toBe(2);
  });

  it('does not take over from a holder that has renewed just now', async () => {
    await (await contender()).acquire();
    await expire();
    await client.query('BEGIN');
    await client.query(`UPDATE leadership SET expires_at = now() + interval '1 hour'`);
    const second = (await contender()).acquire();
    await until(
      async () => (await blockedSessions(client)) === 1,
      'the takeover, which waits for the row',
    );
    await client.query('COMMIT');
    expect(await second).toBeNull();
  });

  it('rejects when PostgreSQL does not answer, and works again when it does', async () => {
    const proxy = await PostgresProxy.listen(database.url);
    const lease = await contender({ url: proxy.url });
    proxy.refuse();
    await expect(lease.acquire()).rejects.toThrow();
    proxy.admit();
    expect(await lease.acquire()).toBe(1);
    await lease.close();
    await proxy.close();
  });

  it('says so when the database is not migrated', async () => {
    await client.query('DELETE FROM leadership');
    await expect((await contender()).acquire()).rejects.toThrow('not migrated');
  });
});

describe('resigning', () => {
  it('lets the next one in at once', async () => {
    const first = await contender();
    await first.acquire();
    await first.resign();
    expect(first.epoch).toBeNull();
    expect((await row()).holder).toBeNull();
    expect(await (await contender()).acquire()).toBe(2);
  });

  it('leaves the term of another one alone', async () => {
    const first = await contender();
    await first.acquire();
    await expire();
    const second = await contender();
    await second.acquire();
    await first.resign();
    expect(second.epoch).toBe(2);
    expect((await row()).holder).not.toBeNull();
  });

  it('does not report a loss', async () => {
    const lost: string[] = [];
    const lease = await contender({ leaseMs: 400, renewMs: 20, marginMs: 300 });
    await lease.acquire();
    lease.onLost((reason) => lost.push(reason));
    await lease.resign();
    await expire();
    const next = await contender();
    await next.acquire();
    expect(lost).toEqual([]);
  });
});

describe('holding', () => {
  it('renews the lease by the clock of the database', async () => {
    const lease = await contender({ leaseMs: 60_000, renewMs: 20, marginMs: 1_000 });
    await lease.acquire();
    const first = (await row()).renewed_at.getTime();
    await until(async () => (await row()).renewed_at.getTime() > first, 'a renewal');
    expect((await row()).left_ms).toBeGreaterThan(50_000);
    expect(lease.epoch).toBe(1);
  });

  it('ends by the own clock, measured from before the renewal was sent', async () => {
    let now = 1_000;
    const lease = await contender({ leaseMs: 10_000, marginMs: 2_000, now: () => now });
    await lease.acquire();
    now += 7_999;
    expect(lease.epoch).toBe(1);
    now += 1;
    expect(lease.epoch).toBeNull();
  });

  it('counts the time that the database took to answer', async () => {
    let now = 0;
    const lease = await contender({ leaseMs: 10_000, marginMs: 2_000, now: () => now });
    await client.query('BEGIN');
    await client.query('SELECT 1 FROM leadership FOR KEY SHARE');
    const acquired = lease.acquire();
    await until(
      async () => (await blockedSessions(client)) === 1,
      'the acquisition, which waits for the row',
    );
    now += 9_000;
    await client.query('COMMIT');
    expect(await acquired).toBe(1);
    expect(lease.epoch).toBeNull();
  });

  it('tells when another process has begun a term', async () => {
    const lease = await contender({ leaseMs: 60_000, renewMs: 20, marginMs: 1_000 });
    await lease.acquire();
    const lost = new Promise<string>((resolve) => lease.onLost(resolve));
    await client.query('UPDATE leadership SET epoch = epoch + 1');
    expect(await lost).toBe('another process has begun a term');
    expect(lease.epoch).toBeNull();
  });

  it('stops acting in time when PostgreSQL is gone, and may lead again when it is back', async () => {
    const proxy = await PostgresProxy.listen(database.url);
    const url = proxy.url;
    const lease = await contender({ url, leaseMs: 1_500, renewMs: 100, marginMs: 1_000 });
    await lease.acquire();
    const lost = new Promise<string>((resolve) => lease.onLost(resolve));
    proxy.refuse();
    expect(await lost).toBe('it could not be renewed in time');
    expect(lease.epoch).toBeNull();
    expect((await row()).left_ms).toBeGreaterThan(0);
    proxy.admit();
    expect(await lease.acquire()).toBe(2);
    await lease.close();
    await proxy.close();
  });

  it('gives the row back after a loss, if it is still its own', async () => {
    const lease = await contender({ leaseMs: 2_000, renewMs: 1_900, marginMs: 1_999 });
    await lease.acquire();
    await new Promise<string>((resolve) => lease.onLost(resolve));
    await lease.resign();
    expect((await row()).holder).toBeNull();
  });

  it('tells a listener that comes after the loss', async () => {
    const lease = await contender({ leaseMs: 2_000, renewMs: 1_900, marginMs: 1_999 });
    await lease.acquire();
    await until(() => lease.epoch === null, 'the end of the lease');
    expect(await new Promise<string>((resolve) => lease.onLost(resolve))).toContain('renewed');
  });
});

describe('a holder that died on this machine', () => {
  it('is followed at once', async () => {
    const { identity, kill } = await processOnThisMachine();
    await (await contender({ identity })).acquire();
    const second = await contender({ identity: await ownIdentity() });
    expect(await second.acquire()).toBeNull();
    await kill();
    expect(await second.acquire()).toBe(2);
  });

  it('is followed by one of several', async () => {
    const { identity, kill } = await processOnThisMachine();
    await (await contender({ identity })).acquire();
    await kill();
    const own = await ownIdentity();
    const rest = await Promise.all(
      Array.from({ length: 5 }, () => contender({ identity: { ...own, holder: randomUUID() } })),
    );
    const won = await Promise.all(rest.map((lease) => lease.acquire()));
    expect(won.filter((term) => term !== null)).toEqual([2]);
  });

  it.each<[string, Partial<ProcessIdentity>]>([
    ['on another machine', { machine: 'elsewhere' }],
    ['before the machine was started again', { bootId: 'earlier' }],
  ])('is waited for when it ran %s', async (_, difference) => {
    const { identity, kill } = await processOnThisMachine();
    await (await contender({ identity: { ...identity, ...difference } })).acquire();
    await kill();
    expect(await (await contender({ identity: await ownIdentity() })).acquire()).toBeNull();
  });

  it('is followed when its pid belongs to another process now', async () => {
    const { identity } = await processOnThisMachine();
    await (await contender({ identity: { ...identity, pidStarted: '1' } })).acquire();
    expect(await (await contender({ identity: await ownIdentity() })).acquire()).toBe(2);
  });

  it('is waited for when nobody knows when it was started', async () => {
    const { identity } = await processOnThisMachine();
    await (await contender({ identity: { ...identity, pidStarted: '' } })).acquire();
    expect(await (await contender({ identity: await ownIdentity() })).acquire()).toBeNull();
  });

  /** A living process, and who it would be as a holder. */
  async function processOnThisMachine(): Promise<{
    identity: ProcessIdentity;
    kill: () => Promise<void>;
  }> {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
    children.push(child);
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    const facts = await inspectProcess(pid);
    const own = await ownIdentity();
    const identity = { ...own, pid, pidStarted: facts?.startedAt ?? '' };
    const kill = async (): Promise<void> => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    };
    return { identity, kill };
  }
});
