import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { workerFlags, workerOptions } from '../../src/cli/worker';
import { loadConfig } from '../../src/config/load-config';
import { freshDatabase, type TestDatabase } from '../support/database';
import { NODE_FLAGS, ServiceProcess } from '../support/service-process';

jest.setTimeout(120_000);

const ROOT = resolve(__dirname, '../..');
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

interface ComposeService {
  readonly restart?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly healthcheck?: object;
  readonly build?: string;
  readonly hostname?: string;
}

interface Compose {
  readonly services: Readonly<Record<'postgres' | 'scheduler' | 'worker', ComposeService>>;
  readonly networks: {
    readonly default: {
      readonly ipam: { readonly config: readonly { readonly subnet: string }[] };
    };
  };
}

/** Settings as the service would read them; fails for names and values that it would refuse. */
const settingsIn = (environment: Readonly<Record<string, string>>) =>
  loadConfig({ env: environment });

describe('docker-compose.yml', () => {
  const text = textOf('docker-compose.yml');
  const { services, networks } = parse(text, { merge: true }) as Compose;
  const subnet = networks.default.ipam.config[0]?.subnet;

  it('starts a service with settings that it takes, open to this machine and its own network', () => {
    const { environment = {}, ports } = services.scheduler;
    const url = environment['DATABASE_URL']?.replace(/\$\{POSTGRES_PASSWORD:[^}]*\}/, 'secret');
    const { server, database } = settingsIn({ ...environment, DATABASE_URL: url ?? '' });
    expect(server).toMatchObject({ host: '0.0.0.0', trustedNetworks: [subnet] });
    expect(database.url).toMatch(/@postgres:5432\/foresail$/);
    expect(ports).toEqual([`127.0.0.1:${server.port}:${server.port}`]);
  });

  it('starts a worker with flags that it takes', () => {
    const { command = [], hostname } = services.worker;
    expect(command[0]).toBe('worker');
    const flags = workerFlags().exitOverride();
    flags.parse([...command.slice(1)], { from: 'user' });
    expect(workerOptions(flags.opts(), [], undefined)).toMatchObject({
      schedulerUrl: `http://${services.scheduler.hostname}:8102`,
      advertise: hostname,
      trustedNetworks: [subnet],
    });
  });

  it('starts everything again after a crash, and looks after its health', () => {
    for (const [name, service] of Object.entries(services)) {
      expect({ name, restart: service.restart }).toEqual({ name, restart: 'unless-stopped' });
      const isLookedAfter = service.healthcheck !== undefined || service.build !== undefined;
      expect({ name, isLookedAfter }).toEqual({ name, isLookedAfter: true });
    }
  });

  it('has its secrets from .env, and an example of it', () => {
    const named = [...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
    const exemplified = [...textOf('.env.example').matchAll(/^(\w+)=$/gm)].map(([, name]) => name);
    expect([...new Set(named)]).toEqual(exemplified);
    expect(textOf('.gitignore')).toMatch(/^\.env$/m);
  });
});

describe('Dockerfile', () => {
  const text = textOf('Dockerfile');
  const stage = text.slice(text.lastIndexOf('\nFROM '));

  it('copies what is there and not left out', () => {
    const kept = [...textOf('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name]) => name);
    const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    expect(new Set(copied)).toEqual(new Set(kept));
    for (const name of copied)
      expect({ name, exists: existsSync(join(ROOT, name)) }).toEqual({ name, exists: true });
  });

  it('runs the program itself, as nobody who could log in', () => {
    expect(stage).toMatch(/^USER [1-9]\d*$/m);
    expect(stage).toContain('/usr/sbin/nologin');
    expect(stage).toContain(
      `ENTRYPOINT ${JSON.stringify(['node', ...NODE_FLAGS, '/app/dist/main.js']).replaceAll(',', ', ')}\n`,
    );
    expect(stage).toMatch(/^CMD \["serve"\]$/m);
  });

  it('tells a healthy service from one that is gone', async () => {
    const [, command = '[]'] = /^HEALTHCHECK[^[]*CMD (\[.*\])$/ms.exec(stage) ?? [];
    const [, ...args] = JSON.parse(command) as string[];
    const database: TestDatabase = await freshDatabase();
    const service = await ServiceProcess.start({ databaseUrl: database.url });
    const check = (): Promise<unknown> =>
      promisify(execFile)(process.execPath, args, {
        env: { FORESAIL_PORT: String(service.port) },
      });
    await expect(check()).resolves.toBeDefined();
    expect(await service.stop()).toBe(0);
    await expect(check()).rejects.toMatchObject({ code: 1 });
    await database.drop();
  });
});

describe('systemd units', () => {
  it.each(['foresail.service', 'foresail-worker.service'])('%s runs as a plain user', (name) => {
    const unit = textOf(join('deploy', name));
    expect(unit).toMatch(/^User=foresail$/m);
    expect(unit).toMatch(/^NoNewPrivileges=yes$/m);
    expect(unit).toMatch(
      /^ExecStart=\/usr\/bin\/node (?:--\S+ )*\/opt\/foresail\/dist\/main.js (serve|worker) ?/m,
    );
    const variables = [...unit.matchAll(/^Environment=(.+)$/gm)].flatMap(([, pairs = '']) =>
      pairs.split(' ').map((pair) => pair.split('=') as [string, string]),
    );
    expect(() => settingsIn(Object.fromEntries(variables))).not.toThrow();
  });

  it('give Node.js the flags that npm start gives it', () => {
    const [, given] =
      /^ExecStart=\S+ (.*)\/opt\S+ serve$/m.exec(textOf('deploy/foresail.service')) ?? [];
    expect(given?.trim().split(' ')).toEqual(NODE_FLAGS);
    expect(NODE_FLAGS).toEqual(['--max-semi-space-size=8']);
  });
});
