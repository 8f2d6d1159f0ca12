import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Test } from '@nestjs/testing';
import { assertMayBind } from './bind-rule';
import { clientSettingsInForce, loadClientConfig } from './client-config';
import { ConfigError } from './config-error';
import { CONFIG, ConfigModule, configOf } from './config.module';
import { ConfigSources, loadConfig, settingsInForce } from './load-config';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'foresail-config-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function yaml(text: string, name = 'foresail.yaml'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function faultsOf(run: () => unknown): { name: string; where: string; msg: string }[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return [...error.faults];
    throw error;
  }
  return [];
}

const load = (sources: ConfigSources) => loadConfig({ env: {}, ...sources });
const faults = (sources: ConfigSources) => faultsOf(() => load(sources));

describe('loadConfig', () => {
  it('has a default for everything', () => {
    const config = load({});
    expect(config.server).toEqual({
      host: '127.0.0.1',
      port: 8102,
      trustedNetworks: [],
      allowedHosts: [],
      bodyLimitBytes: 1_048_576,
      frontDoor: true,
    });
    expect(config.database).toEqual({
      url: undefined,
      dataDir: undefined,
      postgresUser: undefined,
    });
    expect(config.limits.queuedPerQueue).toBe(50_000);
    expect(config.intervals).toMatchObject({
      statusPollMs: 3_000,
      suspectMs: 10_000,
      lostMs: 20_000,
    });
    expect(config.scheduling).toEqual({
      defaultStrategy: 'earliest',
      orderWeight: 2,
      strategyFiles: [],
      licencePools: {},
      batchStrategy: 'least_loaded',
    });
  });

  it('takes a flag before the environment, the environment before the file', () => {
    const file = yaml('foresail_port: 1\nforesail_host: 10.0.0.1\nlog_level: debug\n');
    const env = { FORESAIL_PORT: '2', FORESAIL_HOST: '10.0.0.2' };
    const config = load({ file, env, flags: { port: '3', host: undefined } });
    expect(config.server).toMatchObject({ port: 3, host: '10.0.0.2' });
    expect(config.log.level).toBe('debug');
  });

  it('reads the file that FORESAIL_CONFIG names, with lists and numbers of its own', () => {
    const path = yaml(
      [
        'database_url: postgres://u:p@db/foresail',
        'trusted_networks: [10.0.0.0/8, "fd00::/8"]',
        'allowed_hosts: a.example, b.example',
        'order_weight: 0.5',
        'port:',
      ].join('\n'),
    );
    const config = load({ env: { FORESAIL_CONFIG: path } });
    expect(config.database.url).toBe('postgres://u:p@db/foresail');
    expect(config.server.trustedNetworks).toEqual(['10.0.0.0/8', 'fd00::/8']);
    expect(config.server.allowedHosts).toEqual(['a.example', 'b.example']);
    expect(config.scheduling.orderWeight).toBe(0.5);
    expect(config.server.port).toBe(8102);
  });

  it('makes paths absolute: those of the file from its folder, others from here', () => {
    const file = yaml('lookup_file: known/times.json\nstrategy_files: [a.js, /abs/b.js]\n');
    const config = load({ file, env: { FORESAIL_DATA_DIR: 'data' } });
    expect(config.predictions.lookupFile).toBe(join(folder, 'known/times.json'));
    expect(config.scheduling.strategyFiles).toEqual([join(folder, 'a.js'), '/abs/b.js']);
    expect(config.database.dataDir).toBe(resolve('data'));
  });

  it('reads licence pools from pairs and from a mapping', () => {
    const pools = { 'innovus 21=x': 10, default: 0 };
    const env = { FORESAIL_LICENCE_POOLS: ' innovus 21=x = 10, default=0' };
    expect(load({ env }).scheduling.licencePools).toEqual(pools);
    const file = yaml('licence_pools:\n  "innovus 21=x": 10\n  default: 0\n');
    expect(load({ file, env: {} }).scheduling.licencePools).toEqual(pools);
    for (const wrong of ['a', 'a=', '=1', 'a=-1', 'a=1.5', 'a=1,a=2', 'a=1000001']) {
      expect(() => load({ env: { FORESAIL_LICENCE_POOLS: wrong } })).toThrow(
        /FORESAIL_LICENCE_POOLS.*as in innovus=10,default=50/,
      );
    }
  });

  it('takes empty variables for absent ones, and other names as none of its business', () => {
    const env = {
      DATABASE_URL: '',
      FORESAIL_PORT: '',
      PATH: 'x',
      FORESAIL_URL: 'x',
      FORESAIL_KEY: 'y',
    };
    expect(load({ env }).server.port).toBe(8102);
  });

  it('reads what is on or off, and lists of paths and of lines', () => {
    const env = {
      FORESAIL_COMMANDS: 'on',
      FORESAIL_WORK_ROOTS: '/scratch:/tmp',
      FORESAIL_EXECUTOR_PREFIXES: 'ssh -o "A, b" *\n\n /bin/sh -c ',
    };
    expect(load({ env }).commands).toMatchObject({
      enabled: true,
      workRoots: ['/scratch', '/tmp'],
      executorPrefixes: ['ssh -o "A, b" *', '/bin/sh -c'],
    });
    expect(load({ file: yaml('commands: on') }).commands.enabled).toBe(true);
    expect(load({ file: yaml('commands: false') }).commands.enabled).toBe(false);
    const wrong = { FORESAIL_COMMANDS: 'yes', FORESAIL_EXECUTOR_PREFIXES: `ssh 'h` };
    expect(faults({ env: wrong }).map(({ msg }) => msg)).toEqual([
      '"yes" is not allowed; allowed is on or off',
      `"ssh 'h" is not allowed; allowed is a list, one per line, as in ssh -o BatchMode=yes *`,
    ]);
  });

  it('reads the environment of the process when none is given', () => {
    const own = process.env;
    process.env = { FORESAIL_PORT: '8103' };
    try {
      expect(loadConfig().server.port).toBe(8103);
    } finally {
      process.env = own;
    }
  });

  it('freezes the result through and through', () => {
    const config = load({ env: { FORESAIL_ALLOWED_HOSTS: 'a' } });
    const change = (target: object, key: string) => () =>
      Reflect.defineProperty(target, key, { value: 1 });
    expect(change(config, 'server')()).toBe(false);
    expect(change(config.server, 'port')()).toBe(false);
    expect(change(config.server.allowedHosts, '0')()).toBe(false);
  });

  it('reports every fault of every source at once', () => {
    const file = yaml('port: 70000\n\nhots: 1\nlog_level: [loud]\nPort: 1\n', 'wrong.yaml');
    const env = {
      FORESAIL_PORT: 'abc',
      FORESAIL_QUEUE_LIMITS: '5',
      FORESAIL_TRUSTED_NETWORKS: '10.0.0.0/8,lan',
      FORESAIL_XYZZY_PLUGH: 'secret',
    };
    const found = faults({ file, env, flags: { logLevel: 'loud', color: 'red' } });
    expect(found).toEqual([
      {
        name: 'port',
        where: `${file}:1`,
        msg: '"70000" is not allowed; allowed is an integer from 0 to 65535',
      },
      { name: 'hots', where: `${file}:3`, msg: 'there is no such setting; did you mean host?' },
      {
        name: 'log_level',
        where: `${file}:4`,
        msg: expect.stringContaining('allowed is one of trace, debug'),
      },
      {
        name: 'Port',
        where: `${file}:5`,
        msg: expect.stringContaining('there is no such setting'),
      },
      {
        name: 'FORESAIL_PORT',
        where: 'environment',
        msg: expect.stringContaining('"abc" is not allowed'),
      },
      {
        name: 'FORESAIL_QUEUE_LIMITS',
        where: 'environment',
        msg: 'there is no such setting; did you mean FORESAIL_QUEUE_LIMIT?',
      },
      {
        name: 'FORESAIL_TRUSTED_NETWORKS',
        where: 'environment',
        msg: expect.stringContaining('CIDR'),
      },
      { name: 'FORESAIL_XYZZY_PLUGH', where: 'environment', msg: 'there is no such setting' },
      { name: '--log-level', where: 'command line', msg: expect.stringContaining('"loud"') },
      { name: '--color', where: 'command line', msg: 'there is no such setting' },
    ]);
    const lines = new ConfigError(found).message.split('\n');
    expect(lines).toHaveLength(found.length);
    expect(lines[1]).toBe(`hots (${file}:3): there is no such setting; did you mean host?`);
  });

  it.each([
    ['FORESAIL_PORT', ['-1', '65536', '1.5', '1e3', '0x10', ' ', 'NaN']],
    ['FORESAIL_ORDER_WEIGHT', ['-1', 'two', 'Infinity']],
    ['FORESAIL_LEASE_MS', ['0', '999', '1728000001']],
    ['DATABASE_URL', ['mysql://db/x', 'db', 'http://db']],
    ['FORESAIL_ALLOWED_HOSTS', ['a b', 'http://a', 'a:80']],
    ['FORESAIL_DEFAULT_STRATEGY', ['Shortest Queue', '']],
    ['FORESAIL_LOG_LEVEL', ['INFO', 'verbose']],
  ])('%s refuses what it does not take', (name, wrong) => {
    for (const value of wrong.filter((text) => text !== '')) {
      expect(faults({ env: { [name]: value } })).toMatchObject([{ name }]);
    }
  });

  it('never prints a password', () => {
    const wrong = [
      'mysql://user:hunter2@db/x',
      'user:hunter2@db/x',
      'mysql://user:hun@ter2@db',
      'host=db password=hunter2',
      'http://db/?password=hunter2&x=1',
    ];
    for (const value of wrong) {
      const [fault] = faults({ env: { DATABASE_URL: value } });
      expect(fault?.msg).toMatch(/is not allowed; allowed is a URL that begins with postgres:\/\//);
      expect(fault?.msg).not.toMatch(/hun|ter2/);
    }
  });

  it('refuses numbers that contradict each other, naming both', () => {
    expect(faults({ env: { FORESAIL_LOST_MS: '5000' } })).toEqual([
      {
        name: 'FORESAIL_LOST_MS',
        where: 'environment',
        msg: 'FORESAIL_SUSPECT_MS = 10000 must be less than FORESAIL_LOST_MS = 5000',
      },
    ]);
    expect(faults({ flags: { leaseMs: 5_000 } })).toMatchObject([{ name: '--lease-ms' }]);
    expect(faults({ env: { FORESAIL_PAYLOAD_DAYS: '30' } })).toEqual([]);
    expect(faults({ env: { FORESAIL_LOST_MS: '-1' } })).toHaveLength(1);
  });

  it('refuses receivers of alerts without a secret, and shows neither', () => {
    const urls = 'https://hooks.example.com/T0/B0';
    const tryWith = (env: Record<string, string>): string => {
      try {
        return String(loadConfig({ env }).alerts.urls);
      } catch (error) {
        return String(error);
      }
    };
    const alone = tryWith({ FORESAIL_ALERT_URLS: urls });
    expect(alone).toContain('it needs FORESAIL_ALERT_SECRET, which is not set');
    const both = tryWith({ FORESAIL_ALERT_URLS: `ftp://${urls}`, FORESAIL_ALERT_SECRET: 'short' });
    expect(both).toContain('FORESAIL_ALERT_URLS (environment): its value is not allowed');
    expect(both).toContain('FORESAIL_ALERT_SECRET (environment): its value is not allowed');
    for (const said of [alone, both]) expect(said).not.toMatch(/B0|short/);
    const secret = 'sixteen-characters-or-more';
    expect(tryWith({ FORESAIL_ALERT_URLS: urls, FORESAIL_ALERT_SECRET: secret })).toBe(urls);
    expect(tryWith({ FORESAIL_ALERT_SECRET: secret })).toBe('');
  });

  it('tells the line of wrong YAML, without repeating the file', () => {
    const file = yaml(
      'port: 1\nhost: "x\ndatabase_url: postgres://u:hunter2@db\nport: 2\n',
      'broken.yaml',
    );
    const found = faults({ file });
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ where }) => where.startsWith(`${file}:`))).toBe(true);
    expect(JSON.stringify(found)).not.toContain('hunter2');
    const twice = yaml('port: 1\nforesail_port: 2\n', 'twice.yaml');
    expect(faults({ file: twice })).toMatchObject([{ name: 'foresail_port', where: `${twice}:2` }]);
    const repeated = yaml('port: 1\nhots: a\nport: 2\nlog_level: loud\n', 'repeated.yaml');
    expect(faults({ file: repeated })).toMatchObject([
      { name: 'hots', where: `${repeated}:2` },
      { name: 'port', where: `${repeated}:3`, msg: 'the setting stands twice in the file' },
      { name: 'log_level', where: `${repeated}:4` },
    ]);
    const none = yaml('- a\n', 'list.yaml');
    expect(faults({ file: none })).toMatchObject([{ msg: expect.stringContaining('mapping') }]);
    expect(faults({ file: yaml('# nothing\n', 'empty.yaml') })).toEqual([]);
  });

  it('tells when the file cannot be read', () => {
    const env = { FORESAIL_CONFIG: join(folder, 'absent.yaml') };
    expect(faults({ env })).toMatchObject([
      { name: 'FORESAIL_CONFIG', msg: expect.stringContaining('ENOENT') },
    ]);
    expect(faults({ file: folder })).toMatchObject([{ name: '--config' }]);
  });
});

describe('ConfigModule', () => {
  it('provides the whole and its slices', async () => {
    const config = load({});
    const module = await Test.createTestingModule({
      imports: [ConfigModule.forRoot(config)],
    }).compile();
    expect(module.get(CONFIG)).toBe(config);
    expect(module.get(configOf('limits'))).toBe(config.limits);
    for (const slice of Object.keys(config) as (keyof typeof config)[]) {
      expect(module.get(configOf(slice))).toBe(config[slice]);
    }
    await module.close();
  });
});

describe('assertMayBind', () => {
  const nothing = { trustedNetworks: [], anyKeyExists: false };

  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost', 'LOCALHOST'])('lets %s be', (host) => {
    expect(faultsOf(() => assertMayBind({ host, ...nothing }))).toEqual([]);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', '', 'gpu-1', '0'])('refuses %p without any key', (host) => {
    const [fault] = faultsOf(() => assertMayBind({ host, ...nothing }));
    expect(fault?.msg).toContain('`npx foresail keys create`');
    assertMayBind({ host, ...nothing, anyKeyExists: true });
    assertMayBind({ host, ...nothing, trustedNetworks: ['10.0.0.0/8'] });
  });
});

describe('loadClientConfig', () => {
  it('reads where the scheduler is and what opens it', () => {
    expect(loadClientConfig({})).toEqual({ url: 'http://127.0.0.1:8102' });
    const env = { FORESAIL_URL: 'https://foresail.example/base//', FORESAIL_KEY: 'fsk_1' };
    expect(loadClientConfig(env)).toEqual({ url: 'https://foresail.example/base', key: 'fsk_1' });
  });

  it('refuses what cannot work, without showing the key', () => {
    const env = { FORESAIL_URL: 'localhost:8102', FORESAIL_KEY: 'two words' };
    const found = faultsOf(() => loadClientConfig(env));
    expect(found.map(({ name }) => name)).toEqual(['FORESAIL_URL', 'FORESAIL_KEY']);
    expect(JSON.stringify(found)).not.toContain('words');
  });
});

describe('settingsInForce', () => {
  it('names each setting once, with its value and the strongest source', () => {
    const file = yaml('port: 1\nqueue_limit: 7\n');
    const settings = settingsInForce({ file, env: { FORESAIL_PORT: '2' }, flags: { port: '3' } });
    const found = new Map(settings.map(({ setting, ...rest }) => [setting.env, rest]));

    expect(found.size).toBe(settings.length);
    expect(found.get('FORESAIL_PORT')).toEqual({ value: 3, from: 'command line' });
    expect(found.get('FORESAIL_QUEUE_LIMIT')).toEqual({
      value: 7,
      from: expect.stringMatching(/foresail.yaml:2$/),
    });
    expect(found.get('FORESAIL_HOST')).toEqual({ value: '127.0.0.1', from: 'default' });
    expect(found.get('DATABASE_URL')).toEqual({ value: undefined, from: 'default' });
    expect(found.has('FORESAIL_CRASH_AT')).toBe(false);
  });

  it('is refused as a start would be', () => {
    expect(() => settingsInForce({ env: { FORESAIL_PORT: 'x' } })).toThrow(ConfigError);
  });
});

describe('clientSettingsInForce', () => {
  it('shows that there is a key, and not which', () => {
    const env = { FORESAIL_URL: 'http://u:p@h:1', FORESAIL_KEY: 'secret' };

    expect(clientSettingsInForce(env)).toEqual([
      { name: 'FORESAIL_URL', value: 'http://***@h:1', unit: null, from: 'environment' },
      { name: 'FORESAIL_KEY', value: '***', unit: null, from: 'environment' },
    ]);
    expect(clientSettingsInForce({})).toMatchObject([
      { value: 'http://127.0.0.1:8102', from: 'default' },
      { value: null, from: 'default' },
    ]);
  });
});
