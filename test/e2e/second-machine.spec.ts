import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CliRun, runCli, type CliEnd } from '../support/cli-run';
import {
  namespacesFault,
  NetworkNamespaces,
  type VirtualMachine,
} from '../support/network-namespaces';
import { removeScratch, scratchDirectory } from '../support/scratch';
import type { Json } from '../support/service-process';
import { until } from '../support/until';

jest.setTimeout(180_000);

const run = promisify(execFile);
/** What a start, a registration or a task may take on a machine that has other things to do. */
const PATIENCE_MS = 60_000;

// The scheduler's machine has a cable to the workers' and one to a network that is not trusted.
const SCHEDULER = '10.77.1.1';
const SCHEDULER_V6 = 'fd77:1::1';
const WORKER = '10.77.1.2';
const WORKER_V6 = 'fd77:1::2';
const SCHEDULER_ABROAD = '10.77.2.1';
const STRANGER = '10.77.2.2';
const PORT = 8102;
const TRUSTED = '10.77.1.0/24,fd77:1::/64';

interface Reply {
  readonly status: number;
  readonly body: Json;
}

/** A call as an original client makes it: by curl, without a content type of its own. */
async function curl(from: VirtualMachine, url: string, ...flags: string[]): Promise<Reply> {
  const [program, ...rest] = [...from.within, 'curl', '-sS', '-w', '\n%{http_code}'];
  const { stdout } = await run(program, [...rest, ...flags, url]);
  const cut = stdout.lastIndexOf('\n');
  const text = stdout.slice(0, cut);
  const isJson = text.startsWith('{');
  return { status: Number(stdout.slice(cut + 1)), body: isJson ? JSON.parse(text) : text };
}

const fault = namespacesFault();
const described = fault === undefined ? describe : describe.skip;
if (fault !== undefined) process.stderr.write(`a second machine is not tried: ${fault}\n`);

described('a second machine', () => {
  let net: NetworkNamespaces;
  let home: VirtualMachine;
  let workshop: VirtualMachine;
  let abroad: VirtualMachine;
  let folder: string;
  let env: Record<string, string>;
  const started: CliRun[] = [];

  beforeAll(async () => {
    await NetworkNamespaces.sweep();
    net = new NetworkNamespaces();
    home = await net.add('home');
    workshop = await net.add('workshop');
    abroad = await net.add('abroad');
    await net.connect(
      { machine: 'home', addresses: [`${SCHEDULER}/24`, `${SCHEDULER_V6}/64`] },
      { machine: 'workshop', addresses: [`${WORKER}/24`, `${WORKER_V6}/64`] },
    );
    await net.connect(
      { machine: 'home', addresses: [`${SCHEDULER_ABROAD}/24`] },
      { machine: 'abroad', addresses: [`${STRANGER}/24`] },
    );
    folder = await scratchDirectory();
    env = { FORESAIL_DATA_DIR: join(folder, 'data') };
  });

  afterAll(async () => {
    await stopAll();
    await removeScratch(folder);
    await net.close();
  });

  const start = (machine: VirtualMachine, args: readonly string[], more = {}): CliRun => {
    const process = CliRun.start(args, { env: { ...env, ...more }, within: machine.within });
    started.push(process);
    return process;
  };

  async function stopAll(): Promise<void> {
    const running = started.splice(0);
    for (const { child } of running) child.kill('SIGTERM');
    await Promise.all(running.map(({ end }) => end));
  }

  async function serve(host: string, settings: Record<string, string> = {}): Promise<CliRun> {
    const service = start(home, ['serve', '--host', host], settings);
    const isOver = (): boolean => service.child.exitCode !== null;
    await until(
      () => service.written.includes('Foresail is ready') || isOver(),
      'a start',
      PATIENCE_MS,
    );
    if (isOver()) throw new Error(service.complaints);
    return service;
  }

  const endOf = (args: readonly string[], machine = home): Promise<CliEnd> =>
    runCli(args, { env, within: machine.within });

  const at = (address: string, path: string): string =>
    `http://${address.includes(':') ? `[${address}]` : address}:${PORT}${path}`;

  describe('without a key and without trust', () => {
    it('is not served, and the operator is told the command that helps', async () => {
      for (const host of ['0.0.0.0', '::', SCHEDULER]) {
        const { code, err } = await endOf(['serve', '--host', host]);
        expect({ code, err }).toEqual({
          code: 2,
          err:
            `error: FORESAIL_HOST (start): listening on "${host}" needs a key, since others can ` +
            'reach it: make one with `npx foresail keys create` (same settings), or name the ' +
            'networks to trust in FORESAIL_TRUSTED_NETWORKS, or listen on 127.0.0.1\n',
        });
      }
    });
  });

  describe('in a trusted network', () => {
    beforeAll(() => serve('::', { FORESAIL_TRUSTED_NETWORKS: TRUSTED }));
    afterAll(stopAll);

    it.each([
      ['IPv4', SCHEDULER, WORKER],
      ['IPv6', SCHEDULER_V6, WORKER_V6],
    ])(
      'works for original clients and for workers at their own address: %s',
      async (model, scheduler, worker) => {
        const process = start(workshop, [
          ...['worker', '--model', model, '--scheduler', at(scheduler, ''), '--port', '0'],
          ...['--host', worker, '--trusted-networks', TRUSTED],
        ]);
        const registered = (): boolean => process.complaints.includes('"event":"registered"');
        await until(registered, 'a registration', PATIENCE_MS);
        const task = JSON.stringify({ model_name: model, task_id: model, task_input: {} });
        const submitted = await curl(workshop, at(scheduler, '/queue/submit'), '-d', task);
        expect(submitted).toMatchObject({ status: 200, body: { status: 'success' } });
        let done: Json = {};
        await until(
          async () => {
            done = (await curl(workshop, at(scheduler, `/task/query?task_id=${model}`))).body;
            return done.task_status === 'completed';
          },
          'the end of the task',
          PATIENCE_MS,
        );
        expect(done.result).toMatchObject({ engine: 'simulated' });
        const { body } = await curl(workshop, at(scheduler, '/v1/instances'));
        const { port } = new URL((JSON.parse(process.written) as { url: string }).url);
        expect(body.instances).toContainEqual(
          expect.objectContaining({ model, host: worker, port: Number(port) }),
        );
      },
    );

    it('wants a key for changes through our own API', async () => {
      const cancel = at(SCHEDULER, '/v1/tasks/IPv4/cancel');
      const json = ['-H', 'Content-Type: application/json', '-d', '{}'];
      expect(await curl(workshop, cancel, ...json)).toMatchObject({
        status: 401,
        body: { type: 'urn:foresail:problem:unauthenticated' },
      });
      expect(await curl(home, at('127.0.0.1', '/v1/tasks/IPv4/cancel'), ...json)).toMatchObject({
        status: 409,
        body: { code: 'forbidden_transition' },
      });
    });

    it('gives strangers nothing but signs of life, each in its dialect', async () => {
      const submit = ['-d', '{"model_name":"IPv4","task_input":{}}'];
      const refused = await curl(abroad, at(SCHEDULER_ABROAD, '/queue/submit'), ...submit);
      const says =
        "this call needs a key: send 'Authorization: Bearer <key>' or 'X-API-Key: <key>'";
      expect(refused).toEqual({
        status: 401,
        body: { status: 'error', message: says, detail: says },
      });
      expect(await curl(abroad, at(SCHEDULER_ABROAD, '/v1/instances'))).toMatchObject({
        status: 401,
        body: { type: 'urn:foresail:problem:unauthenticated', status: 401, detail: says },
      });
      expect(await curl(abroad, at(SCHEDULER_ABROAD, '/docs'))).toMatchObject({ status: 401 });
      expect(await curl(abroad, at(SCHEDULER_ABROAD, '/livez'))).toMatchObject({ status: 200 });
    });

    it('refuses names that are not its own, and believes no header on where a call is from', async () => {
      const named = ['-H', 'Host: evil.example'];
      expect(await curl(workshop, at(SCHEDULER, '/queue/info'), ...named)).toMatchObject({
        status: 403,
        body: { status: 'error' },
      });
      const forged = ['-H', `X-Forwarded-For: ${WORKER}`, '-H', `Forwarded: for=${WORKER}`];
      expect(await curl(abroad, at(SCHEDULER_ABROAD, '/queue/info'), ...forged)).toMatchObject({
        status: 401,
      });
    });

    it('registers nothing at addresses that no worker can have, nor where it listens itself', async () => {
      const { out } = await endOf(['db', 'url']);
      const databasePort = Number(new URL(out.trim()).port);
      const noWorker = /is not an address that a service can have/;
      const ours = /this scheduler listens at/;
      const database = /the database listens at/;
      const cases: readonly [string, number, RegExp][] = [
        ['169.254.169.254', 80, noWorker],
        ['fe80::1', 8100, noWorker],
        ['0.0.0.0', 8100, noWorker],
        ['::', 8100, noWorker],
        ['fd00:ec2::254', 80, noWorker],
        [SCHEDULER, PORT, ours],
        [SCHEDULER_ABROAD, PORT, ours],
        [`::ffff:${SCHEDULER}`, PORT, ours],
        [SCHEDULER_V6, PORT, ours],
        ['127.0.0.1', PORT, ours],
        ['localhost', PORT, ours],
        ['127.0.0.1', databasePort, database],
        ['localhost', databasePort, database],
        [SCHEDULER, databasePort, database],
      ];
      for (const [host, port, message] of cases) {
        const registration = JSON.stringify({ host, port, model_name: 'm' });
        const reply = await curl(workshop, at(SCHEDULER, '/ti/register'), '-d', registration);
        expect({ host, port, ...reply }).toEqual({
          ...{ host, port, status: 200 },
          body: { status: 'error', message: expect.stringMatching(message), ti_uuid: '' },
        });
      }
    });

    it('takes no worker that would announce an address of loopback', async () => {
      const flags = ['worker', '--model', 'm', '--scheduler', at(SCHEDULER, ''), '--port', '0'];
      const { code, err } = await endOf(flags, workshop);
      expect({ code, err }).toEqual({
        code: 2,
        err:
          `error: http://${SCHEDULER}:${PORT} is another machine and cannot call 127.0.0.1; say ` +
          'where it can: --host 0.0.0.0 --advertise <address of this machine> ' +
          '--trusted-networks <its network>\n',
      });
    });
  });

  describe('with a key', () => {
    let key: string;

    beforeAll(async () => {
      const made = await endOf(['keys', 'create', '--label', 'second machine', '-o', 'json']);
      if (made.code !== 0) throw new Error(made.err);
      key = (JSON.parse(made.out) as { key: string }).key;
      await serve(SCHEDULER);
    });
    afterAll(stopAll);

    it('is served wherever it is, and nobody is without', async () => {
      expect(await curl(workshop, at(SCHEDULER, '/queue/info'))).toMatchObject({ status: 401 });
      const header = ['-H', `Authorization: Bearer ${key}`];
      expect(await curl(workshop, at(SCHEDULER, '/queue/info'), ...header)).toMatchObject({
        status: 200,
      });
      expect(await curl(workshop, at(SCHEDULER, '/queue/info'), '-H', 'X-API-Key: no')).toEqual({
        status: 401,
        body: {
          status: 'error',
          message: 'the key that was sent is not valid',
          detail: 'the key that was sent is not valid',
        },
      });
    });

    it('has workers that send it', async () => {
      const flags = ['worker', '--model', 'm', '--scheduler', at(SCHEDULER, ''), '--port', '0'];
      const own = ['--host', '0.0.0.0', '--advertise', WORKER, '--trusted-networks', SCHEDULER];
      const worker = start(workshop, [...flags, ...own], { FORESAIL_KEY: key });
      const registered = (): boolean => worker.complaints.includes('"event":"registered"');
      await until(registered, 'a registration', PATIENCE_MS);
    });
  });
});
